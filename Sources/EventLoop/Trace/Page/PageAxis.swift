extension Page {
    /// The scale above the rows, and what is said of the span under the pointer.
    static let tips = #"""
        // A tick each 1, 2 or 5 of something, so that their texts have room.
        function makeTicks() {
          const least = 110 * view.nanosecondsPerPixel;
          const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
          const step = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= least);
          const ticks = [];
          const end = view.start + view.length;
          for (let number = Math.max(0, Math.ceil(view.start / step)); number * step <= end; number += 1) {
            if (view.x(number * step) >= view.labels) ticks.push({ moment: number * step, step });
          }
          return ticks;
        }

        // All in the unit of the step, so that they are read as one scale.
        function tickText({ moment, step }) {
          const [unit, factor] = step >= 1e8 ? ["s", 1e9] : step >= 1e5 ? ["ms", 1e6]
            : step >= 100 ? ["µs", 1e3] : ["ns", 1];
          const digits = Math.max(0, Math.ceil(-Math.log10(step / factor) - 1e-9));
          return `${(moment / factor).toFixed(digits)} ${unit}`;
        }

        function drawAxis(ticks) {
          pen.fillStyle = colors.panel;
          pen.fillRect(0, 0, view.width, axisHeight);
          pen.fillStyle = colors.line;
          pen.fillRect(0, axisHeight - 1, view.width, 1);
          pen.fillRect(view.labels, 0, 1, view.height);
          for (const tick of ticks) {
            const x = Math.round(view.x(tick.moment));
            pen.fillStyle = colors.soft;
            pen.fillRect(x, axisHeight - 6, 1, 6);
            pen.fillText(tickText(tick), x + 5, axisHeight / 2);
          }
        }

        // The span under the pointer, or the nearest within some pixels: short ones are hard to hit.
        function spanAt(row, x) {
          const moment = view.moment(x) + row.shift, reach = 3 * view.nanosecondsPerPixel;
          const lists = row.kind === "loop" ? [row.steps, row.spans, row.idle] : [row.spans];
          let best;
          for (const spans of lists) {
            for (let index = spans.firstEnding(moment - reach); index < spans.count; index += 1) {
              if (spans.starts[index] > moment + reach) break;
              const isInside = spans.starts[index] <= moment && moment <= spans.ends[index];
              const length = spans.ends[index] - spans.starts[index];
              const distance = isInside ? 0 : Math.min(
                Math.abs(moment - spans.starts[index]), Math.abs(moment - spans.ends[index]));
              // A span that is too short to be hit comes before the long ones beside it.
              const rank = (length < 2 * reach ? 0 : 1) * reach + distance;
              if (!best || rank < best.rank) best = { spans, index, rank };
            }
            if (best) return best;
          }
          return best;
        }

        function facts(row, hit) {
          const lines = [];
          if (hit) {
            const { spans, index } = hit, kind = kinds[spans.kinds[index]], word = spans.word(index);
            const length = spans.ends[index] - spans.starts[index];
            const names = {
              running: row.kind === "loop" ? `step of ${word}` : "running", ready: "ready, waits for its turn",
              waiting: `waits for ${word}`, idle: "idle: nothing is ready", turn: `turn: ${word}`,
              work: word, call: word,
            };
            lines.push(["state", names[kind]], ["for", time(length)]);
            lines.push(["from", time(spans.starts[index] - row.shift)]);
            if (kind === "ready" && word) lines.push(["woken by", word]);
          }
          if (row.kind !== "task") return lines;
          if (row.at) lines.push(["spawned at", row.at]);
          if (row.parent >= 0) lines.push(["started by", rows[row.parent].name]);
          const life = (row.ended ?? row.spans.ends[row.spans.count - 1] ?? row.spawned) - row.spawned;
          lines.push(["life", `${time(life)}${row.ended === undefined ? ", end not seen" : ""}`]);
          lines.push(["runs in all", time(row.spans.total(kindOf.running))]);
          return lines;
        }

        const tip = document.getElementById("tip");
        function showTip(row, x, y) {
          const hit = x > view.labels ? spanAt(row, x) : undefined;
          if (row.kind !== "task" && !hit) return hideTip();
          tip.replaceChildren();
          const head = document.createElement("b");
          head.textContent = row.name;
          const list = document.createElement("dl");
          for (const [name, value] of facts(row, hit)) {
            for (const [tag, text] of [["dt", name], ["dd", value]]) {
              const part = document.createElement(tag);
              part.textContent = text;
              list.append(part);
            }
          }
          tip.append(head, list);
          tip.hidden = false;
          const box = tip.getBoundingClientRect(), area = canvas.getBoundingClientRect();
          const left = Math.min(area.left + x + 14, window.innerWidth - box.width - 8);
          const below = area.top + y + 16;
          const top = below + box.height < window.innerHeight ? below : area.top + y - box.height - 10;
          tip.style.left = `${Math.max(8, left)}px`;
          tip.style.top = `${Math.max(8, top)}px`;
        }

        function hideTip() { tip.hidden = true; }

        """#
}
