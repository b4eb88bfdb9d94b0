extension Page {
    /// What the page does with pointer, wheel and keys, and how it begins.
    static let input = #"""
        const byID = (id) => document.getElementById(id);

        canvas.addEventListener("wheel", (moved) => {
          const x = moved.offsetX;
          const isSideways = moved.shiftKey || Math.abs(moved.deltaX) > Math.abs(moved.deltaY);
          // Over the names, the wheel scrolls the rows, as it does everywhere.
          if (x < view.labels && !isSideways) return;
          moved.preventDefault();
          if (isSideways) {
            pan((moved.deltaX || moved.deltaY) * view.nanosecondsPerPixel);
          } else {
            zoom(Math.exp(Math.max(-200, Math.min(200, moved.deltaY)) * 0.002), x);
          }
        }, { passive: false });

        const pointers = new Map();
        canvas.addEventListener("pointerdown", (pressed) => {
          canvas.setPointerCapture(pressed.pointerId);
          pointers.set(pressed.pointerId, { x: pressed.offsetX, y: pressed.offsetY });
          canvas.classList.add("dragged");
          const row = view.rowAt(pressed.offsetY);
          if (row) focusRow(row);
        });
        for (const name of ["pointerup", "pointercancel"]) {
          canvas.addEventListener(name, (released) => {
            pointers.delete(released.pointerId);
            canvas.classList.toggle("dragged", pointers.size > 0);
          });
        }
        canvas.addEventListener("pointermove", (moved) => {
          const former = pointers.get(moved.pointerId);
          const x = moved.offsetX, y = moved.offsetY;
          if (!former) {
            const row = view.rowAt(y);
            if (row) showTip(row, x, y); else hideTip();
            return;
          }
          hideTip();
          const other = [...pointers].find(([id]) => id !== moved.pointerId)?.[1];
          if (other) {
            // Two fingers: what is between them stays between them.
            const before = Math.max(10, Math.abs(former.x - other.x));
            zoom(before / Math.max(10, Math.abs(x - other.x)), (x + other.x) / 2);
          } else {
            pan((former.x - x) * view.nanosecondsPerPixel);
            scroller.scrollTop += former.y - y;
          }
          pointers.set(moved.pointerId, { x, y });
        });
        canvas.addEventListener("pointerleave", hideTip);
        scroller.addEventListener("scroll", () => { hideTip(); redraw(); });

        function focusRow(row) {
          view.focus = row.index;
          const said = facts(row).map(([name, value]) => `${name} ${value}`).join(", ");
          byID("spoken").textContent = `${row.kind} ${row.name}. ${said}`;
          redraw();
        }

        function moveFocus(by) {
          const place = view.shown.findIndex((row) => row.index === view.focus);
          const next = Math.max(0, Math.min(view.shown.length - 1, place + by));
          if (!view.shown[next]) return;
          focusRow(view.shown[next]);
          const top = next * rowHeight, room = view.height - axisHeight - rowHeight;
          if (top < scroller.scrollTop) scroller.scrollTop = top;
          if (top > scroller.scrollTop + room) scroller.scrollTop = top - room;
        }

        const actions = {
          "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1 / 0.7), "0": fit,
          ArrowLeft: () => pan(-view.length * 0.1), ArrowRight: () => pan(view.length * 0.1),
          ArrowUp: () => moveFocus(-1), ArrowDown: () => moveFocus(1),
          PageUp: () => moveFocus(-10), PageDown: () => moveFocus(10),
          Home: () => moveFocus(-rows.length), End: () => moveFocus(rows.length),
          "/": () => byID("search").focus(),
        };
        document.addEventListener("keydown", (pressed) => {
          if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
          if (pressed.target === byID("search")) {
            if (pressed.key === "Escape") { byID("search").value = ""; search(); canvas.focus(); }
            return;
          }
          // A button's own keys are the button's.
          const action = actions[pressed.key];
          if (!action) return;
          pressed.preventDefault();
          hideTip();
          action();
        });

        function search() {
          const text = byID("search").value;
          show(matching(text));
          const tasks = rows.filter((row) => row.kind === "task");
          byID("found").textContent = text.trim() === "" ? ""
            : `${tasks.filter((row) => row.matches).length} of ${tasks.length}`;
          scroller.scrollTop = 0;
        }
        byID("search").addEventListener("input", search);
        byID("in").addEventListener("click", () => zoom(0.6));
        byID("out").addEventListener("click", () => zoom(1 / 0.6));
        byID("fit").addEventListener("click", fit);
        byID("align").addEventListener("click", () => {
          const isAligned = byID("align").getAttribute("aria-pressed") === "false";
          byID("align").setAttribute("aria-pressed", String(isAligned));
          align(isAligned);
          fit();
        });
        byID("theme").addEventListener("click", () => {
          setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
        });

        function begin() {
          const tasks = rows.filter((row) => row.kind === "task").length;
          const summary = `${tasks} task${tasks === 1 ? "" : "s"}, ${time(data.length)}`
            + (data.dropped > 0 ? `; the oldest ${data.dropped} events are not kept` : "");
          byID("title").textContent = data.title;
          byID("summary").textContent = summary;
          canvas.setAttribute("aria-label", `Time line of ${data.title}: ${summary}`);
          const legend = [
            ["running", "runs"], ["ready", "ready, waits for its turn"], ["waiting", "waits"],
            ["idle", "loop idle"], ["turn", "loop's turn"], ["call", "call"], ["work", "blocking code"],
          ];
          const used = new Set(rows.flatMap((row) => [row.spans, row.idle, row.steps]
            .flatMap((spans) => [...new Set(spans.kinds)])));
          for (const [kind, text] of legend) {
            if (!used.has(kindOf[kind])) continue;
            const item = document.createElement("li"), sample = document.createElement("i");
            sample.style.background = kind === "ready"
              ? "repeating-linear-gradient(135deg, var(--ready) 0 3px, var(--panel) 3px 4px)"
              : `var(--${kind})`;
            if (kind === "waiting") sample.style.boxShadow = "inset 0 0 0 1px var(--waiting-line)";
            item.append(sample, text);
            byID("legend").append(item);
          }
          const wish = window.matchMedia("(prefers-color-scheme: dark)");
          setTheme(wish.matches ? "dark" : "light");
          wish.addEventListener("change", () => setTheme(wish.matches ? "dark" : "light"));
          show(rows);
          fit();
          resize();
          new ResizeObserver(resize).observe(scroller);
          // trace.html#aligned or #apart, for who passes the page on.
          const isAligned = { "#aligned": true, "#apart": false }[location.hash] ?? wantsAlignment();
          if (isAligned) byID("align").click();
        }
        begin();

        """#
}
