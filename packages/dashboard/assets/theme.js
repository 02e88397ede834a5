// Before the first paint, so that nothing flashes: the theme that was chosen here before; else the system's holds.
(() => {
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is closed to us: the system's theme it is.
  }
})();
