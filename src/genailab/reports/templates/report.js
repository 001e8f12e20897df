"use strict";
// Draws each figure once, then lays patches over it: theme, width, view. See genailab/reports/figures.py.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 760px)");
  const coarse = matchMedia("(pointer: coarse)");
  const all = (selector) => [...document.querySelectorAll(selector)];
  const place = (spec) => document.getElementById(`figure-${spec.key}`);
  const data = document.getElementById("figures");
  const specs = data ? JSON.parse(data.textContent) : [];
  let view = "both";
  let printing = false;
  const hiddenTypes = new Set();

  // Choices that every figure follows; a figure ignores those it has no patches for.
  const theme = () => (printing ? "light" : root.dataset.theme || (dark.matches ? "dark" : "light"));
  const width = () => (narrow.matches || printing ? "narrow" : "wide");

  function choices(spec) {
    const chosen = { theme: theme(), width: width(), view };
    chosen.labels = width() === "narrow" || view === "side" ? "numbers" : "names";
    return Object.keys(spec.patches).map((group) => spec.patches[group][chosen[group]]);
  }

  function visible(trace) {
    const { kind, type, panel } = trace.meta || {};
    if (kind === "label") return panel === "real" || view === "side";
    if (type === undefined) return true;
    return !hiddenTypes.has(type) && (kind === view || view === "both" || view === "side");
  }

  function update(spec) {
    const div = place(spec);
    const traces = {};
    const layout = { dragmode: coarse.matches ? false : spec.figure.layout.dragmode };
    for (const patch of choices(spec)) {
      for (const [key, values] of Object.entries(patch.traces)) {
        traces[key] = values.map((value) => (value === null ? undefined : value)); // undefined: as it was
      }
      Object.assign(layout, patch.layout);
    }
    if (spec.key === "embedding") traces.visible = div.data.map(visible);
    if (traces.text) traces.text = div.data.map((trace, i) => shownLabels(trace.meta, traces.text[i]));
    setSize(spec);
    return Plotly.update(div, traces, layout).then(() => Plotly.Plots.resize(div));
  }

  function shownLabels({ types }, text) {
    return text && text.map((label, i) => (hiddenTypes.has(types[i]) ? "" : label));
  }

  function setSize(spec) {
    const div = place(spec);
    const { height, min_width: least } = spec.size[width()];
    div.style.height = `${height}px`;
    div.style.minWidth = `${least}px`;
    div.style.width = printing ? "680px" : ""; // a sheet of paper: its own width isn't known beforehand
    frame(div.parentElement);
  }

  // A frame that scrolls must be reachable by keyboard; one that doesn't need not be.
  function frame(box) {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Figure wider than the page: scroll sideways");
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  }

  const updateAll = () => Promise.all(specs.map(update));

  async function draw() {
    const options = { displayModeBar: false, responsive: true, displaylogo: false, scrollZoom: false };
    for (const spec of specs) {
      const { data: traces, layout } = structuredClone(spec.figure);
      setSize(spec);
      await Plotly.newPlot(place(spec), traces, layout, options);
      await update(spec);
    }
    root.dataset.drawn = "true";
  }

  function showTheme() {
    document.getElementById("theme-name").textContent = root.dataset.theme || "system";
  }

  function nextTheme() {
    const order = [undefined, "light", "dark"];
    const next = order[(order.indexOf(root.dataset.theme) + 1) % order.length];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    try {
      if (next) localStorage.setItem("genailab-theme", next);
      else localStorage.removeItem("genailab-theme");
    } catch { /* storage may be closed to files: the choice then lasts as long as the page */ }
    showTheme();
    updateAll();
  }

  const embedding = () => specs.find((spec) => spec.key === "embedding");
  const press = (button, on) => button.setAttribute("aria-pressed", String(on));

  function chooseView(button) {
    view = button.dataset.view;
    all("[data-view]").forEach((other) => press(other, other === button));
    update(embedding());
  }

  function toggleType(button) {
    const type = Number(button.dataset.type);
    if (!hiddenTypes.delete(type)) hiddenTypes.add(type);
    press(button, !hiddenTypes.has(type));
    update(embedding());
  }

  function showAllTypes() {
    hiddenTypes.clear();
    all("[data-type]").forEach((button) => press(button, true));
    update(embedding());
  }

  function reset(button) {
    const spec = specs.find((one) => one.key === button.dataset.reset);
    const { xaxis, yaxis } = spec.figure.layout;
    Plotly.relayout(place(spec), { "xaxis.range": [...xaxis.range], "yaxis.range": [...yaxis.range] });
  }

  function save(button) {
    const spec = specs.find((one) => one.key === button.dataset.save);
    const div = place(spec);
    const background = getComputedStyle(div.closest("figure")).backgroundColor;
    const size = { width: div.clientWidth, height: div.clientHeight };
    const picture = { data: div.data, layout: { ...div.layout, paper_bgcolor: background } };
    Plotly.downloadImage(picture, { ...size, format: "png", scale: 2, filename: `genailab-${spec.key}` });
  }

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source); // no clipboard for this page: select, so that Ctrl-C copies
      button.textContent = "Selected: press Ctrl-C";
    }
    setTimeout(() => (button.textContent = "Copy"), 2500);
  }

  function followSections() {
    const links = new Map(all(".bar a").map((link) => [link.hash.slice(1), link]));
    const watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        links.forEach((link, id) => (id === target.id ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
      }
    }, { rootMargin: "-20% 0px -70% 0px" });
    all("main section").forEach((section) => watch.observe(section));
  }

  const on = (selector, act) => all(selector).forEach((button) => button.addEventListener("click", () => act(button)));
  on("#theme", nextTheme);
  on("[data-view]", chooseView);
  on("[data-type]", toggleType);
  on("#all-types", showAllTypes);
  on("[data-reset]", reset);
  on("[data-save]", save);
  on("[data-copy]", copy);
  dark.addEventListener("change", updateAll);
  narrow.addEventListener("change", updateAll);
  addEventListener("beforeprint", () => { printing = true; updateAll(); });
  addEventListener("afterprint", () => { printing = false; updateAll(); });
  showTheme();
  followSections();
  draw();
})();
