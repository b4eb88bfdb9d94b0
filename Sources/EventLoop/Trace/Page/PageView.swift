extension Page {
    /// What part of the trace the page shows, and where on it.
    static let view = #"""
        const canvas = document.getElementById("chart");
        const scroller = document.getElementById("scroller");
        const pen = canvas.getContext("2d");
        const rowHeight = 26, barHeight = 18, axisHeight = 30;

        const view = {
          start: 0, length: lengthOfAll(), shown: rows, focus: -1, width: 0, height: 0, labels: 220,
          get nanosecondsPerPixel() { return this.length / Math.max(1, this.width - this.labels); },
          x(moment) { return this.labels + (moment - this.start) / this.nanosecondsPerPixel; },
          moment(x) { return this.start + (x - this.labels) * this.nanosecondsPerPixel; },
          rowAt(y) {
            const place = Math.floor((y - axisHeight + scroller.scrollTop) / rowHeight);
            return y < axisHeight ? undefined : this.shown[place];
          },
        };

        let isPending = false;
        function redraw() {
          if (isPending) return;
          isPending = true;
          requestAnimationFrame(() => { isPending = false; draw(); });
        }

        // Zooms so that the moment under `x` stays there.
        function zoom(factor, x = (view.labels + view.width) / 2) {
          const moment = view.moment(x);
          const length = Math.min(Math.max(view.length * factor, 50), lengthOfAll() * 1.2);
          view.start = moment - (moment - view.start) * length / view.length;
          view.length = length;
          stayInside();
          redraw();
        }

        function pan(nanoseconds) {
          view.start += nanoseconds;
          stayInside();
          redraw();
        }

        function fit() {
          const length = lengthOfAll();
          view.start = -length * 0.01;
          view.length = length * 1.04;
          redraw();
        }

        // Something of the trace stays in sight.
        function stayInside() {
          const end = lengthOfAll(), margin = view.length * 0.5;
          view.start = Math.max(-margin, Math.min(view.start, end - view.length + margin));
        }

        function show(list) {
          view.shown = list;
          document.getElementById("height").style.height = `${axisHeight + list.length * rowHeight + 12}px`;
          redraw();
        }

        function resize() {
          const ratio = window.devicePixelRatio || 1;
          view.width = scroller.clientWidth;
          view.height = scroller.clientHeight;
          view.labels = Math.round(Math.min(280, Math.max(120, view.width * 0.2)));
          canvas.width = Math.round(view.width * ratio);
          canvas.height = Math.round(view.height * ratio);
          canvas.style.width = `${view.width}px`;
          canvas.style.height = `${view.height}px`;
          pen.setTransform(ratio, 0, 0, ratio, 0, 0);
          // At once, for a canvas is empty after that.
          draw();
        }

        const colors = {};
        function setTheme(name) {
          document.documentElement.dataset.theme = name;
          const style = getComputedStyle(document.documentElement);
          for (const key of ["page", "panel", "ink", "soft", "line", "band", "focus", "accent", "match",
            "waiting-line", "post", ...kinds.flatMap((kind) => [kind, `${kind}-ink`])]) {
            colors[key] = style.getPropertyValue(`--${key}`).trim();
          }
          stripes = makeStripes();
          redraw();
        }

        // What is ready has stripes, so that it is not told by its colour alone.
        let stripes;
        function makeStripes() {
          const tile = document.createElement("canvas");
          tile.width = tile.height = 6;
          const brush = tile.getContext("2d");
          brush.fillStyle = colors.ready;
          brush.fillRect(0, 0, 6, 6);
          brush.strokeStyle = colors.panel;
          brush.globalAlpha = 0.45;
          brush.lineWidth = 1.5;
          for (const offset of [-6, 0, 6]) {
            brush.beginPath();
            brush.moveTo(offset, 6);
            brush.lineTo(offset + 6, 0);
            brush.stroke();
          }
          return pen.createPattern(tile, "repeat");
        }

        """#
}
