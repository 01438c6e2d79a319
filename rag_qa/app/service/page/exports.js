/** An answer out again: as a file in one of the formats of the service, or on the clipboard. */

import { exported } from "./api.js";
import { announce, button, el } from "./dom.js";

const FORMATS = [
  ["md", "Markdown"], ["html", "HTML"], ["json", "JSON"],
  ["bib", "BibTeX of the papers cited"], ["ris", "RIS of the papers cited"], ["csl", "CSL-JSON of the papers cited"],
];
const ENDINGS = { csl: "csl.json" };
const PAPERS_ONLY = ["bib", "ris", "csl"];

/** Return a menu that saves the answer; `failed` is called with an error. */
export function exportMenu(answer, failed) {
  const menu = el("details", { className: "menu" }, el("summary", {}, "Export"));
  const formats = FORMATS.filter(([format]) => answer.papers.length || !PAPERS_ONLY.includes(format));
  menu.append(el("ul", {}, formats.map(([format, name]) => el("li", {}, button(name, async () => {
    menu.open = false;
    menu.firstElementChild.focus();
    await exported(answer, format).then((text) => save(text, nameOf(answer, format)), failed);
  })))));
  return menu;
}

/** Return a button that copies the answer with its sources, as Markdown. */
export function copyButton(answer, failed) {
  const copy = button("Copy", async () => {
    const text = exported(answer, "md");
    try {
      // The clipboard takes a promise: otherwise the permission of the click would expire while the service works.
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": text.then(asBlob) })]);
    } catch (error) {
      await text.then(() => failed(new Error("The browser does not let this page copy. Export it as Markdown.", { cause: error })), failed);
      return;
    }
    copy.textContent = "Copied";
    announce("The answer is on the clipboard.");
  });
  return copy;
}

function asBlob(text) {
  return new Blob([text], { type: "text/plain" });
}

function save(text, name) {
  const address = URL.createObjectURL(asBlob(text));
  el("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
  announce(`Saved as ${name}.`);
}

/** Return a file's name from the words of the question. */
function nameOf(answer, format) {
  const words = answer.question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ["answer"];
  return `${words.slice(0, 6).join("-").slice(0, 60)}.${ENDINGS[format] ?? format}`;
}
