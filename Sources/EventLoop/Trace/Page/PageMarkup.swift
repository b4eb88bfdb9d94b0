// The trace's page: what stands on it, and how it looks. The rest is drawn by its scripts.

enum Page {
    /// In the order in which they need each other.
    static let scripts = [model, view, drawing, tips, input]

    static let markup = #"""
        <body>
        <header>
          <h1 id="title"></h1>
          <p id="summary"></p>
          <input id="search" type="search" placeholder="Search tasks  ( / )" aria-label="Search tasks by name"
            autocomplete="off" spellcheck="false">
          <output id="found" for="search"></output>
          <div role="group" aria-label="Zoom">
            <button id="out" title="Zoom out ( - )" aria-label="Zoom out">&minus;</button>
            <button id="in" title="Zoom in ( + )" aria-label="Zoom in">+</button>
            <button id="fit" title="Show everything ( 0 )">Fit</button>
          </div>
          <button id="align" aria-pressed="false"
            title="Let blocking code and each loop start at zero, to compare them">Align starts</button>
          <button id="theme" title="Light or dark" aria-label="Switch between light and dark">&#9680;</button>
        </header>
        <ul id="legend" aria-label="Legend"></ul>
        <main id="scroller">
          <div id="height"></div>
          <canvas id="chart" tabindex="0" role="application" aria-describedby="keys"></canvas>
        </main>
        <div id="tip" role="tooltip" hidden></div>
        <p id="spoken" class="unseen" aria-live="polite"></p>
        <p id="keys" class="unseen">Left and right arrows move in time, up and down choose a row,
          plus and minus zoom, zero shows everything, slash searches.</p>

        """#

    static let style = #"""
        :root {
          color-scheme: light;
          --page: #f6f7fa; --panel: #ffffff; --ink: #1b2130; --soft: #687289; --line: #e2e6ee;
          --band: #f9fafc; --focus: #eaf1fd; --accent: #2f6fd0; --match: #fff1c9;
          --running: #0c8f6f; --running-ink: #ffffff; --ready: #eda63c; --ready-ink: #4a2f00;
          --waiting: #e1e8f4; --waiting-ink: #4b5873; --waiting-line: #c6d2e6;
          --idle: #eff1f5; --idle-ink: #8a93a6; --turn: #bccbe6; --turn-ink: #26324a;
          --work: #c5514d; --work-ink: #ffffff; --call: #7a62c4; --call-ink: #ffffff; --post: #7a62c4;
        }
        :root[data-theme="dark"] {
          color-scheme: dark;
          --page: #0f1218; --panel: #161a22; --ink: #e7eaf1; --soft: #98a2b5; --line: #262c38;
          --band: #191e27; --focus: #1f2a3d; --accent: #7fb0ff; --match: #4a3d14;
          --running: #2fc79f; --running-ink: #04231a; --ready: #f2b85b; --ready-ink: #3a2500;
          --waiting: #29334a; --waiting-ink: #b6c2d9; --waiting-line: #3a4763;
          --idle: #1a1f28; --idle-ink: #717c90; --turn: #3a4966; --turn-ink: #dbe4f5;
          --work: #e27a72; --work-ink: #2b0704; --call: #a892ee; --call-ink: #1b0f3d; --post: #a892ee;
        }
        * { box-sizing: border-box; }
        html, body { height: 100%; margin: 0; }
        body {
          display: flex; flex-direction: column; background: var(--page); color: var(--ink);
          font: 14px/1.4 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
        }
        header { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 10px; padding: 12px 16px 6px; }
        h1 { font-size: 17px; font-weight: 650; margin: 0; }
        #summary { margin: 0 auto 0 4px; color: var(--soft); }
        #found { color: var(--soft); min-width: 4.5em; }
        input, button {
          font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line);
          border-radius: 7px; height: 32px; padding: 0 11px;
        }
        input { width: 15em; }
        button { cursor: pointer; }
        button:hover { border-color: var(--accent); }
        button[aria-pressed="true"] {
          background: var(--accent); border-color: var(--accent); color: var(--panel);
        }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
        [role="group"] { display: flex; }
        [role="group"] button { border-radius: 0; margin-left: -1px; min-width: 34px; }
        [role="group"] button:first-child { border-radius: 7px 0 0 7px; margin-left: 0; }
        [role="group"] button:last-child { border-radius: 0 7px 7px 0; }
        #legend {
          display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 0; padding: 2px 16px 10px;
          list-style: none; color: var(--soft); font-size: 13px;
        }
        #legend li { display: flex; align-items: center; gap: 6px; }
        #legend i { width: 22px; height: 12px; border-radius: 3px; display: inline-block; }
        main {
          flex: 1; min-height: 0; position: relative; overflow: hidden auto; background: var(--panel);
          border-top: 1px solid var(--line);
        }
        #height { position: absolute; top: 0; left: 0; width: 1px; }
        canvas { position: sticky; top: 0; left: 0; display: block; cursor: grab; touch-action: none; }
        canvas.dragged { cursor: grabbing; }
        canvas:focus-visible { outline-offset: -2px; }
        #tip {
          position: fixed; z-index: 2; max-width: 26em; padding: 9px 12px; pointer-events: none;
          background: var(--panel); border: 1px solid var(--line); border-radius: 9px;
          box-shadow: 0 6px 24px rgb(0 0 0 / 18%); font-size: 13px;
        }
        #tip b { display: block; }
        #tip dl { display: grid; grid-template-columns: auto 1fr; gap: 1px 10px; margin: 4px 0 0; }
        #tip dt { color: var(--soft); }
        #tip dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
        .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

        """#
}
