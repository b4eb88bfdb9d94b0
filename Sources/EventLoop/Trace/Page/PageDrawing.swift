extension Page {
    /// Draws what the page shows.
    static let drawing = #"""
        const font = "12px system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif";

        function draw() {
          pen.font = font;
          pen.textBaseline = "middle";
          pen.fillStyle = colors.panel;
          pen.fillRect(0, 0, view.width, view.height);
          const first = Math.floor(scroller.scrollTop / rowHeight);
          const last = Math.min(view.shown.length, first + Math.ceil(view.height / rowHeight) + 1);
          const yOf = (place) => axisHeight + place * rowHeight - scroller.scrollTop;
          for (let place = first; place < last; place += 1) drawBand(view.shown[place], yOf(place), place);
          const ticks = makeTicks();
          pen.fillStyle = colors.line;
          for (const tick of ticks) pen.fillRect(Math.round(view.x(tick.moment)), axisHeight, 1, view.height);
          for (let place = first; place < last; place += 1) drawRow(view.shown[place], yOf(place));
          drawPosts(first, last, yOf);
          for (let place = first; place < last; place += 1) drawLabel(view.shown[place], yOf(place), place);
          drawAxis(ticks);
        }

        function drawBand(row, y, place) {
          if (row.index === view.focus) pen.fillStyle = colors.focus;
          else if (row.kind !== "task") pen.fillStyle = colors.band;
          else return;
          pen.fillRect(0, y, view.width, rowHeight);
        }

        function drawRow(row, y) {
          pen.save();
          pen.beginPath();
          pen.rect(view.labels, axisHeight, view.width - view.labels, view.height);
          pen.clip();
          const top = y + (rowHeight - barHeight) / 2;
          if (row.kind === "loop") {
            drawSpans(row, row.idle, top, barHeight);
            drawSpans(row, row.spans, top, barHeight);
            drawSpans(row, row.steps, top + 4, barHeight - 4);
            drawMarks(row, top);
          } else {
            drawSpans(row, row.spans, top, barHeight);
          }
          pen.restore();
        }

        function drawSpans(row, spans, top, height) {
          const end = view.start + view.length, pixel = view.nanosecondsPerPixel;
          let index = spans.firstEnding(view.start + row.shift);
          while (index < spans.count && spans.starts[index] - row.shift <= end) {
            const left = view.x(spans.starts[index] - row.shift);
            const right = view.x(spans.ends[index] - row.shift);
            if (right - left >= 1.5) {
              drawSpan(row, spans, index, left, right, top, height);
              index += 1;
              continue;
            }
            // All that share this pixel are one line, in the colour of what matters most.
            const column = Math.floor(left);
            const next = view.moment(column + 1.5) + row.shift;
            let kind = spans.kinds[index];
            const after = Math.max(index + 1, spans.firstEnding(next, index));
            for (let other = index; other < Math.min(after, index + 64); other += 1) {
              if (weight[spans.kinds[other]] > weight[kind]) kind = spans.kinds[other];
            }
            pen.fillStyle = colors[kinds[kind]];
            pen.fillRect(column, top, 1.5, height);
            index = after;
          }
        }

        function drawSpan(row, spans, index, left, right, top, height) {
          const kind = spans.kinds[index];
          const from = Math.max(left, view.labels - 8), to = Math.min(right, view.width + 8);
          pen.fillStyle = kind === kindOf.ready ? stripes : colors[kinds[kind]];
          pen.beginPath();
          pen.roundRect(from, top, to - from, height, Math.min(3, (to - from) / 3));
          pen.fill();
          if (kind === kindOf.waiting && to - from > 3) {
            pen.strokeStyle = colors["waiting-line"];
            pen.lineWidth = 1;
            pen.stroke();
          }
          if (to - from < 40) return;
          const text = textOf(row, spans, index);
          const room = Math.min(to, view.width) - Math.max(from, view.labels) - 12;
          const fitting = shorten(text, room);
          if (fitting === "") return;
          pen.fillStyle = colors[`${kinds[kind]}-ink`];
          pen.fillText(fitting, Math.max(from, view.labels) + 6, top + height / 2 + 0.5);
        }

        function textOf(row, spans, index) {
          const length = time(spans.ends[index] - spans.starts[index]);
          const word = spans.word(index);
          switch (kinds[spans.kinds[index]]) {
          case "running": return row.kind === "loop" ? `${word} · ${length}` : `runs ${length}`;
          case "ready": return `ready ${length}`;
          case "waiting": return `${word} · ${length}`;
          case "idle": return `idle ${length}`;
          case "turn": return "";
          default: return `${word} · ${length}`;
          }
        }

        const widths = new Map();
        function widthOf(text) {
          let width = widths.get(text);
          if (width === undefined) {
            width = pen.measureText(text).width;
            if (widths.size > 5000) widths.clear();
            widths.set(text, width);
          }
          return width;
        }

        function shorten(text, room) {
          if (widthOf(text) <= room) return text;
          const letters = Math.floor(text.length * room / widthOf(text)) - 1;
          return letters < 3 ? "" : `${text.slice(0, letters)}…`;
        }

        // Timers and descriptors, as ticks above what they cause.
        function drawMarks(row, top) {
          pen.fillStyle = colors.accent;
          let column = -1;
          for (let index = 0; index < row.marks.length; index += 2) {
            const x = Math.round(view.x(row.marks[index] - row.shift));
            if (x < view.labels || x > view.width || x === column) continue;
            column = x;
            pen.fillRect(x, top - 3, 1, 5);
          }
        }

        // From the thread that left something to what it caused.
        function drawPosts(first, last, yOf) {
          pen.save();
          pen.beginPath();
          pen.rect(view.labels, axisHeight, view.width - view.labels, view.height);
          pen.clip();
          pen.strokeStyle = pen.fillStyle = colors.post;
          pen.lineWidth = 1.25;
          const place = new Map(view.shown.map((row, index) => [row.index, index]));
          let drawn = 0;
          for (const [from, posted, to, began] of data.posts) {
            const source = place.get(from), target = place.get(to);
            if (source === undefined || target === undefined) continue;
            if (Math.max(source, target) < first || Math.min(source, target) > last) continue;
            const x1 = view.x(posted - rows[from].shift), x2 = view.x(began - rows[to].shift);
            if (x2 < view.labels || x1 > view.width) continue;
            drawn += 1;
            if (drawn > 400) break;
            const y1 = yOf(source) + rowHeight / 2, y2 = yOf(target) + (target > source ? 5 : rowHeight - 5);
            pen.beginPath();
            pen.arc(x1, y1, 3, 0, 2 * Math.PI);
            pen.fill();
            pen.beginPath();
            pen.moveTo(x1, y1);
            pen.bezierCurveTo(x1, (y1 + y2) / 2, x2, (y1 + y2) / 2, x2, y2);
            pen.stroke();
          }
          pen.restore();
        }

        function drawLabel(row, y, place) {
          const middle = y + rowHeight / 2;
          pen.fillStyle = row.index === view.focus ? colors.focus
            : row.matches ? colors.match : row.kind === "task" ? colors.panel : colors.band;
          pen.fillRect(0, y, view.labels, rowHeight);
          pen.fillStyle = colors.line;
          pen.fillRect(0, y + rowHeight - 1, view.width, row.kind === "task" ? 0 : 1);
          const indent = 14 + Math.min(row.depth, 8) * 12;
          if (row.depth > 1) pen.fillRect(indent - 9, middle, 6, 1);
          pen.font = row.kind === "task" ? font : `600 ${font}`;
          pen.fillStyle = row.kind === "thread" ? colors.soft : colors.ink;
          const name = row.kind === "loop" ? `loop ${row.name}` : row.name;
          pen.fillText(shorten(name, view.labels - indent - 10), indent, middle + 0.5);
          pen.font = font;
        }

        """#
}
