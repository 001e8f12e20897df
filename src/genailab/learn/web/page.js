"use strict";
// Chooses the theme, and puts in what is new when a file was checked. The page is complete without it.
(() => {
  const root = document.documentElement;
  const themes = ["system", "light", "dark"];
  const stored = () => { try { return localStorage.getItem("genailab-theme"); } catch { return null; } };
  const setTheme = (name) => {
    if (name === "light" || name === "dark") root.dataset.theme = name;
    else delete root.dataset.theme;
    try { localStorage.setItem("genailab-theme", name); } catch { /* a private window */ }
  };
  setTheme(stored() || "system");
  root.classList.add("js");

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const name = document.getElementById("theme-name");
    name.textContent = stored() || "system";
    button.addEventListener("click", () => {
      const next = themes[(themes.indexOf(name.textContent) + 1) % themes.length];
      setTheme(next);
      name.textContent = next;
    });
    if (document.body.dataset.live) watch();
  });

  function watch() {
    const news = document.getElementById("news");
    let version = document.body.dataset.version;
    let waiting = 400;

    async function look() {
      try {
        const now = await (await fetch("/version")).text();
        if (now !== version) await update(now);
        if (waiting > 400) news.textContent = "";
        waiting = 400;
      } catch {
        news.textContent = "genailab learn serve has ended: start it again to see what is new.";
        waiting = 3000;
      }
      setTimeout(look, document.hidden ? 2000 : waiting);
    }

    async function update(now) {
      const text = await (await fetch(location.href)).text();
      const fresh = new DOMParser().parseFromString(text, "text/html");
      for (const part of document.querySelectorAll("[data-part]")) {
        const other = fresh.getElementById(part.id);
        if (other && other.innerHTML !== part.innerHTML) part.innerHTML = other.innerHTML;
      }
      version = now;
      // A screen reader hears the outcome, not the whole page again.
      const outcome = document.querySelector("#feedback .outcome");
      const count = document.querySelector("#feedback .count");
      news.textContent = outcome ? `${outcome.innerText}. ${count.innerText}.` : "";
    }

    document.addEventListener("visibilitychange", () => { if (!document.hidden) waiting = 400; });
    setTimeout(look, waiting);
  }
})();
