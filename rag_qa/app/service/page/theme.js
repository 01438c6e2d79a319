// Runs before the first paint, to avoid a flash in the wrong colours; a module would run too late.
try {
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden: the colours are the system's then.
}
