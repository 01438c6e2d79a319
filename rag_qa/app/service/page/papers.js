/** A paper in words and links: the same in lists, in the evidence and in print. */

import { button, el } from "./dom.js";

const OPENING_WORDS = 10;
// What a reader must know before trusting a paper, and of an answer that cites it.
export const WARNINGS = {
  retracted: ["Retracted", "has been retracted: do not rely on it"],
  "expression of concern": ["Expression of concern", "is under an expression of concern"],
  corrected: ["Corrected", "has been corrected: see the correction"],
};
const KINDS = { synopsis: "synopsis", pdf: "title and abstract found in a PDF" };

/** Return the title, or the opening words marked as untitled. */
export function heading(paper) {
  if (paper.title) return paper.title;
  const words = paper.abstract.split(/\s+/).filter(Boolean);
  return `${words.slice(0, OPENING_WORDS).join(" ")}${words.length > OPENING_WORDS ? "…" : ""} (untitled)`;
}

/** Return authors, venue and year; all authors if asked for. */
export function byline(paper, { all = false } = {}) {
  return [authors(paper, all), [paper.venue, paper.year].filter(Boolean).join(" ")].filter(Boolean).join(" · ");
}

function authors(paper, all) {
  const names = paper.authors ?? [];
  if (names.length > 3 && !all) return `${names[0]} et al.`;
  return names.join(", ") + (names.length && paper.more_authors ? " et al." : "");
}

/** Return badges for its status and for a text that is not the authors' own abstract. */
export function badges(paper) {
  const found = [];
  if (paper.status in WARNINGS) found.push(el("strong", { className: "badge grave" }, WARNINGS[paper.status][0]));
  else if (paper.status) found.push(el("span", { className: "badge" }, paper.status));
  if (paper.kind in KINDS) found.push(el("span", { className: "badge" }, KINDS[paper.kind]));
  return found;
}

/** Return links to the paper; only web addresses become links. */
export function links(paper) {
  const places = [
    ["DOI", paper.doi && `https://doi.org/${encodeURI(paper.doi)}`],
    ["arXiv", paper.arxiv_id && `https://arxiv.org/abs/${encodeURI(paper.arxiv_id)}`],
    ["PubMed", paper.pmid && `https://pubmed.ncbi.nlm.nih.gov/${encodeURIComponent(paper.pmid)}/`],
    ["Web page", paper.url],
  ];
  const web = places.filter(([, address]) => isWeb(address));
  const others = web.filter(([name, address]) => name !== "Web page" || !web.some((w) => w[0] !== name && w[1] === address));
  return others.map(([name, href]) =>
    el("a", { href, target: "_blank", rel: "noopener noreferrer", "aria-label": `${name} of ${heading(paper)}` }, name));
}

function isWeb(address) {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
}

/** Return the papers found as a list; `actions` are called with a paper, `marks` has the numbers of those cited. */
export function paperList(papers, { actions, marks = new Map(), label }) {
  return el("ol", { className: "papers", "aria-label": label }, papers.map((paper) => row(paper, actions, marks)));
}

function row(paper, actions, marks) {
  const mark = marks.get(paper.id);
  return el(
    "li",
    { "data-paper": paper.id },
    button(heading(paper), (event) => actions.open(paper, event), { className: "plain", dir: "auto" }),
    el("p", { className: "byline" },
      mark ? [el("span", { className: "cited" }, `Cited as [${mark}]`), " "] : null, el("bdi", {}, byline(paper)), " ", badges(paper)),
    el("div", { className: "actions" },
      button("Similar", () => actions.similar(paper), { "aria-label": `Similar to ${heading(paper)}` }),
      button("Ask only this one", () => actions.only(paper), { "aria-label": `Ask only this one: ${heading(paper)}` }),
      links(paper).slice(0, 1)),
  );
}
