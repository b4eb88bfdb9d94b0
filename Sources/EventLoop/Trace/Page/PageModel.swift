extension Page {
    /// The page's data, as the drawing wants it.
    static let model = #"""
        // The same list as in the program that wrote the page.
        const kinds = ["running", "ready", "waiting", "idle", "turn", "work", "call"];
        const kindOf = Object.fromEntries(kinds.map((name, index) => [name, index]));
        // Where many spans share a pixel, it shows the one that matters most.
        const weight = [5, 4, 1, 0, 2, 5, 4];

        const data = JSON.parse(document.getElementById("data").textContent);

        // Spans in flat arrays: a hundred thousand of them are searched without being touched.
        class Spans {
          constructor(list = []) {
            const count = list.length / 4;
            this.count = count;
            this.starts = new Float64Array(count);
            this.ends = new Float64Array(count);
            this.kinds = new Uint8Array(count);
            this.words = new Int32Array(count);
            for (let index = 0; index < count; index += 1) {
              this.starts[index] = list[4 * index];
              this.ends[index] = list[4 * index] + list[4 * index + 1];
              this.kinds[index] = list[4 * index + 2];
              this.words[index] = list[4 * index + 3];
            }
          }
          // The first that ends at `time` or later. Spans are in order and do not overlap, but for those
          // within another, which come after it.
          firstEnding(time, from = 0) {
            let low = from, high = this.count;
            while (low < high) {
              const middle = (low + high) >> 1;
              if (this.ends[middle] < time) low = middle + 1; else high = middle;
            }
            return low;
          }
          word(index) { return this.words[index] < 0 ? "" : data.words[this.words[index]]; }
          total(kind) {
            let sum = 0;
            for (let index = 0; index < this.count; index += 1) {
              if (this.kinds[index] === kind) sum += this.ends[index] - this.starts[index];
            }
            return sum;
          }
        }

        const rows = data.rows.map((row, index) => ({
          index, kind: row.kind, name: row.name, depth: row.depth ?? 0, parent: row.parent ?? -1,
          at: row.at, spawned: row.spawned, ended: row.ended, group: 0, shift: 0,
          spans: new Spans(row.spans), idle: new Spans(row.idle), steps: new Spans(row.steps),
          marks: row.marks ?? [],
        }));

        // What starts at zero when starts are aligned: each row of blocking code, and each loop with its
        // tasks.
        let group = 0;
        for (const row of rows) {
          if (row.kind !== "task") group += 1;
          row.group = group;
        }
        // A thread that posts belongs to the loop that it posts to.
        for (const [from, , to] of data.posts) {
          if (rows[from].kind === "thread") rows[from].group = rows[to].group;
        }
        const groupStart = new Map();
        for (const row of rows) {
          const first = Math.min(row.spans.starts[0] ?? Infinity, row.idle.starts[0] ?? Infinity);
          groupStart.set(row.group, Math.min(groupStart.get(row.group) ?? Infinity, first));
        }
        function align(isAligned) {
          for (const row of rows) {
            const start = groupStart.get(row.group);
            row.shift = isAligned && isFinite(start) ? start : 0;
          }
        }
        // Blocking code before a loop or after it is there to be compared with it: then they start together.
        function wantsAlignment() {
          const extents = new Map();
          for (const row of rows) {
            for (const spans of [row.spans, row.idle]) {
              if (spans.count === 0) continue;
              const former = extents.get(row.group) ?? { start: Infinity, end: 0 };
              extents.set(row.group, {
                isLane: row.kind === "lane",
                start: Math.min(former.start, spans.starts[0]),
                end: Math.max(former.end, spans.ends[spans.count - 1]),
              });
            }
          }
          const lanes = [...extents.values()].filter((extent) => extent.isLane);
          const loops = [...extents.values()].filter((extent) => !extent.isLane);
          return lanes.length > 0 && loops.length > 0
            && lanes.every((lane) => loops.every((loop) => lane.end <= loop.start || lane.start >= loop.end));
        }
        // The end of what is drawn.
        function lengthOfAll() {
          let end = 0;
          for (const row of rows) {
            for (const spans of [row.spans, row.idle]) {
              if (spans.count > 0) end = Math.max(end, spans.ends[spans.count - 1] - row.shift);
            }
          }
          return Math.max(end, 1000);
        }

        // The rows to show: all of them, or the tasks whose names match with those that lead to them, and
        // what is no task.
        function matching(text) {
          const wanted = text.trim().toLowerCase();
          for (const row of rows) {
            row.matches = wanted !== "" && row.kind === "task" && row.name.toLowerCase().includes(wanted);
          }
          if (wanted === "") return rows;
          const shown = new Set();
          for (const row of rows) {
            if (row.kind !== "task") shown.add(row.index);
            for (let at = row; row.matches && at && !shown.has(at.index); at = rows[at.parent]) {
              shown.add(at.index);
            }
          }
          return rows.filter((row) => shown.has(row.index));
        }

        // Three digits or so, and the unit that suits them.
        function time(nanoseconds) {
          const size = Math.abs(nanoseconds);
          const [unit, factor] = size >= 1e9 ? ["s", 1e9] : size >= 1e6 ? ["ms", 1e6]
            : size >= 1e3 ? ["µs", 1e3] : ["ns", 1];
          const value = nanoseconds / factor;
          const digits = factor === 1 ? 0 : Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 10 ? 2 : 3;
          return `${Number(value.toFixed(digits))} ${unit}`;
        }

        """#
}
