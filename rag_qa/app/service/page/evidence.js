/** The evidence: a paper with its abstract, and the cited spans marked. There is one, beside its turn. */

import { button, el, fill } from "./dom.js";
import { badges, byline, heading, links } from "./papers.js";
import { pieces } from "./text.js";

const WIDE = window.matchMedia("(min-width: 68rem)");

export class Evidence {
  #opener = null;
  #narrow;
  #returning = false;

  /** `narrow` is called with the name and value of a filter that is picked. */
  constructor(narrow) {
    this.#narrow = narrow;
    this.element = el("section", { className: "evidence", tabIndex: -1, role: "region", "aria-label": "Evidence", hidden: true });
  }

  get open() {
    return !this.element.hidden;
  }

  /** Show a paper with spans of its abstract marked, in `slot`; `opener` is the mark or title that it belongs to. */
  show(paper, spans, { slot, opener, number = null }) {
    this.#forget();
    this.#opener = opener;
    opener.setAttribute("aria-expanded", "true");
    fill(this.element, this.#head(paper, number), abstract(paper, spans), this.#foot(paper));
    this.element.hidden = false;
    if (this.element.parentNode !== slot) slot.replaceChildren(this.element);
    this.element.scrollTop = 0;
    this.element.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  }

  /** Whether it follows the pointer and the focus: only if it is beside the text and covers none of it. */
  get follows() {
    return WIDE.matches && !this.#returning;
  }

  focus() {
    this.element.focus({ preventScroll: WIDE.matches });
  }

  /** Close it, and give the focus back if it was inside. */
  close() {
    const inside = this.element.contains(document.activeElement);
    const opener = this.#opener;
    this.element.hidden = true;
    this.#forget();
    this.#returning = true;
    if (inside) opener?.focus();
    this.#returning = false;
  }

  #forget() {
    this.#opener?.setAttribute("aria-expanded", "false");
    this.#opener = null;
  }

  #head(paper, number) {
    return el("header", {},
      el("h3", { dir: "auto" }, number ? el("span", { className: "cited" }, `[${number}] `) : null, heading(paper)),
      button("Close", () => this.close(), { className: "close" }),
      el("p", { className: "byline" }, el("bdi", {}, byline(paper, { all: true })), " ", badges(paper)));
  }

  #foot(paper) {
    return el("footer", {},
      el("p", { className: "links" }, links(paper), el("span", { className: "id" }, paper.id)),
      el("p", { className: "narrowing" }, "Only papers ", picks(paper).map(([words, name, value]) =>
        button(words, () => this.#narrow(name, value), { "aria-label": `Only papers ${words}` }))));
  }
}

/** Return what of a paper can become a filter, as [words, name, value]. */
function picks(paper) {
  const first = paper.authors?.[0];
  return [
    first ? [`by ${first}`, "author", first] : null,
    paper.venue ? [`at ${paper.venue}`, "venue", paper.venue] : null,
    paper.year ? [`from ${paper.year}`, "year", String(paper.year)] : null,
  ].filter(Boolean);
}

function abstract(paper, spans) {
  return el("p", { className: "abstract", dir: "auto" },
    pieces(paper.abstract, spans).map(([text, marked]) => (marked ? el("mark", {}, text) : text)));
}
