// What the trace's page must do, run inside the page by Scripts/test-trace-page.
const failures = [];
const notes = [];
const check = (isSo, what) => { if (!isSo) failures.push(what); };
const near = (one, other) => Math.abs(one - other) <= 1e-6 * Math.max(1, Math.abs(one), Math.abs(other));
const picture = () => { draw(); return canvas.toDataURL(); };
const press = (key, target = document.body) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const point = (name, x, y, more = {}) => {
  const area = canvas.getBoundingClientRect();
  canvas.dispatchEvent(new PointerEvent(name, {
    clientX: area.left + x, clientY: area.top + y, pointerId: 1, bubbles: true, ...more }));
};
const wheel = (x, y, more) => {
  const area = canvas.getBoundingClientRect();
  canvas.dispatchEvent(new WheelEvent("wheel", {
    clientX: area.left + x, clientY: area.top + y, bubbles: true, cancelable: true, ...more }));
};
canvas.setPointerCapture = () => {};  // There is no real pointer.
const tasks = rows.filter((row) => row.kind === "task");
const placeOf = (row) => axisHeight + (view.shown.indexOf(row) + 0.5) * rowHeight - scroller.scrollTop;

const isPressed = (id) => byID(id).getAttribute("aria-pressed") === "true";

const cases = {
  "starts are aligned where blocking code ran before the loop"() {
    const hasLane = rows.some((row) => row.kind === "lane");
    check(isPressed("align") === hasLane, "they are not as they should be");
    check(rows.some((row) => row.shift > 0) === hasLane, "the button does not say what is so");
    check(wantsAlignment() === hasLane, "it depends on what is pressed");
    if (hasLane) {
      const lane = rows.find((row) => row.kind === "lane"), loop = rows.find((row) => row.kind === "loop");
      const [start, end] = [lane.spans.starts[0], lane.spans.ends[lane.spans.count - 1]];
      lane.spans.ends[lane.spans.count - 1] = loop.idle.starts[0] + 1;
      check(!wantsAlignment(), "blocking code within the loop's time is moved away from it");
      lane.spans.ends[lane.spans.count - 1] = end;
      check(start < end && wantsAlignment(), "it does not come back");
    }
    if (isPressed("align")) byID("align").click();
  },
  "every row is there"() {
    check(rows.length === data.rows.length && view.shown.length === rows.length, "rows are missing");
    check(tasks.length === data.rows.filter((row) => row.kind === "task").length, "tasks are missing");
    check(document.title === data.title, "the title");
    check(byID("summary").textContent.startsWith(`${tasks.length} task`), "the summary");
    check(byID("legend").children.length >= 3, "the legend");
  },
  "something is drawn, within the whole width"() {
    fit();
    const first = picture();
    pen.clearRect(0, 0, view.width, view.height);
    check(first !== canvas.toDataURL(), "the canvas is empty");
    check(view.x(0) >= view.labels && view.x(lengthOfAll()) <= view.width, "not everything is in sight");
  },
  "keys and buttons zoom, and zero shows everything again"() {
    fit();
    const [whole, before] = [view.length, picture()];
    press("+");
    check(view.length < whole, "+ does not zoom in");
    check(picture() !== before, "zooming does not show");
    press("-");
    check(near(view.length, whole), "- does not undo +");
    byID("in").click();
    byID("in").click();
    byID("out").click();
    check(view.length < whole, "the buttons do not zoom");
    press("0");
    check(near(view.length, whole), "0 does not show everything");
    for (let count = 0; count < 200; count += 1) press("+");
    check(view.length >= 50, "there is no end to zooming in");
    picture();
    for (let count = 0; count < 400; count += 1) press("-");
    check(view.length <= lengthOfAll() * 1.2 + 1, "there is no end to zooming out");
    fit();
  },
  "the wheel zooms around the pointer, and with shift moves in time"() {
    fit();
    const x = view.labels + 300, moment = view.moment(x), length = view.length;
    wheel(x, 80, { deltaY: -120 });
    check(view.length < length, "the wheel does not zoom");
    check(near(view.moment(x), moment), "what is under the pointer moves");
    const start = view.start;
    wheel(x, 80, { deltaY: 100, shiftKey: true });
    check(view.start > start, "shift and wheel do not move");
    const former = view.length;
    wheel(20, 80, { deltaY: -120 });
    check(view.length === former, "over the names the wheel zooms");
    fit();
  },
  "dragging and arrows move in time, and never lose the trace"() {
    fit();
    press("+");
    const start = view.start;
    point("pointerdown", 600, 100);
    point("pointermove", 500, 100);
    point("pointerup", 500, 100);
    check(near(view.start, start + 100 * view.nanosecondsPerPixel), "dragging does not move");
    press("ArrowRight");
    const right = view.start;
    press("ArrowLeft");
    check(view.start < right, "arrows do not move");
    for (let count = 0; count < 500; count += 1) press("ArrowRight");
    check(view.start < lengthOfAll(), "the trace is lost to the left");
    fit();
  },
  "searching leaves what matches, and what leads to it"() {
    const before = picture();
    const wanted = tasks.at(-1).name, matches = tasks.filter((row) => row.name === wanted).length;
    byID("search").value = wanted.toUpperCase();
    byID("search").dispatchEvent(new Event("input"));
    const shown = view.shown.filter((row) => row.kind === "task");
    check(shown.length < tasks.length, "nothing is filtered");
    check(shown.filter((row) => row.matches).length >= matches, "a match is missing");
    check(shown.every((row) => row.parent < 0 || shown.includes(rows[row.parent])), "a parent is missing");
    check(byID("found").textContent.endsWith(`of ${tasks.length}`), "the number of matches");
    check(picture() !== before, "filtering does not show");
    byID("search").value = "no task is called that";
    byID("search").dispatchEvent(new Event("input"));
    check(!view.shown.some((row) => row.kind === "task"), "tasks that do not match are shown");
    press("Escape", byID("search"));
    check(view.shown.length === rows.length && byID("search").value === "", "Escape does not end it");
    press("/");
    check(document.activeElement === byID("search"), "/ does not search");
    canvas.focus();
  },
  "light and dark"() {
    const former = document.documentElement.dataset.theme, before = picture();
    const color = () => pen.getImageData(view.width - 2, view.height - 2, 1, 1).data[0];
    const shade = color();
    byID("theme").click();
    check(document.documentElement.dataset.theme !== former, "the theme stays");
    check(picture() !== before && Math.abs(color() - shade) > 100, "the theme does not show");
    byID("theme").click();
    check(picture() === before, "the former theme does not come back");
    check(former === (wantsDark ? "dark" : "light"), "the theme is not the system's");
  },
  "what is under the pointer is explained"() {
    fit();
    const row = tasks.find((task) => [...task.spans.kinds].includes(kindOf.waiting));
    const index = [...row.spans.kinds].indexOf(kindOf.waiting);
    const middle = (row.spans.starts[index] + row.spans.ends[index]) / 2;
    point("pointermove", view.x(middle), placeOf(row));
    check(!tip.hidden && tip.textContent.includes(row.name), "there is no tip");
    check(tip.textContent.includes(`waits for ${row.spans.word(index)}`), "the tip has no reason");
    const box = tip.getBoundingClientRect();
    check(box.right <= innerWidth && box.bottom <= innerHeight, "the tip is cut off");
    point("pointerleave", 0, 0);
    check(tip.hidden, "the tip stays");
  },
  "rows are chosen by keys, and said"() {
    press("Home");
    for (const row of view.shown.slice(1, 6)) {
      press("ArrowDown");
      check(byID("spoken").textContent.includes(row.name), `${row.name} is not said`);
    }
    press("End");
    check(view.focus === view.shown.at(-1).index, "End is not the last row");
    check(placeOf(view.shown.at(-1)) < view.height, "the chosen row is out of sight");
    press("Home");
    check(scroller.scrollTop === 0, "Home is not the first row");
  },
  "starts are aligned, and not"() {
    byID("align").click();
    check(isPressed("align"), "the button says nothing");
    for (const group of new Set(rows.map((row) => row.group))) {
      const firsts = rows.filter((row) => row.group === group && row.spans.count > 0)
        .map((row) => row.spans.starts[0] - row.shift);
      if (firsts.length > 0) check(Math.min(...firsts) >= 0, "something starts before zero");
    }
    picture();
    for (const [from, posted, to, began] of data.posts) {
      const [start, end] = [posted - rows[from].shift, began - rows[to].shift];
      check(start >= 0 && start <= end, "an arrow leads into the past");
    }
    byID("align").click();
    check(rows.every((row) => row.shift === 0), "the former starts do not come back");
  },
  "everything has a name for who does not see it"() {
    check(canvas.getAttribute("aria-label").includes(data.title), "the chart has no name");
    for (const button of document.querySelectorAll("button, input")) {
      check((button.getAttribute("aria-label") ?? button.textContent).trim() !== "", "a control has none");
    }
    check(byID("spoken").getAttribute("aria-live") === "polite", "nothing is said");
  },
  "drawing takes"() {
    const middle = (times) => times.sort((one, other) => one - other)[times.length >> 1];
    const measure = () => middle(Array.from({ length: 15 }, () => {
      const start = performance.now();
      draw();
      pen.getImageData(0, 0, 1, 1);
      return performance.now() - start;
    }));
    fit();
    const whole = measure();
    for (let count = 0; count < 8; count += 1) press("+");
    const spans = rows.reduce((sum, row) => sum + row.spans.count + row.steps.count, 0);
    notes.push(`${spans} spans: ${whole.toFixed(1)} ms all, ${measure().toFixed(1)} ms a part`);
    fit();
  },
};

for (const [name, run] of Object.entries(cases)) {
  const before = failures.length;
  try { run(); } catch (error) { failures.push(`${error}\n${error.stack}`); }
  for (let index = before; index < failures.length; index += 1) failures[index] = `${name}: ${failures[index]}`;
}
const results = document.createElement("script");
results.type = "application/json";
results.id = "results";
results.textContent = JSON.stringify({ failures: [...pageErrors, ...failures], notes, cases: Object.keys(cases).length })
  .replaceAll("<", "\\u003c");
document.body.append(results);
