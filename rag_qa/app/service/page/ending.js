/** What comes after the last sentence: warnings, or why there is no answer; what to do with it; its sources for print. */

import { button, el, fill } from "./dom.js";
import { copyButton, exportMenu } from "./exports.js";
import { WARNINGS, badges, byline, heading } from "./papers.js";
import { sentence } from "./text.js";
import { whyPanel } from "./why.js";

/** Return it for an answer; `draft` is what the model wrote at first, `open` shows a paper. */
export function ending(answer, { draft, open }) {
  return [answer.abstained ? refusal(answer, open) : warnings(answer), setAside(answer), tools(answer, draft),
    printedSources(answer)];
}

function refusal({ reason, nearest }, open) {
  return el("div", { className: "refusal" },
    el("p", { className: "verdict" }, "The papers don’t say."),
    reason ? el("p", {}, sentence(reason)) : null,
    nearest.length ? el("p", { className: "quiet" }, "Nearest papers, which do not answer it:") : null,
    nearest.length ? el("ul", {}, nearest.map((paper) => el("li", {},
      button(heading(paper), (event) => open(paper, event), { className: "plain", dir: "auto" }),
      el("span", { className: "byline" }, el("bdi", {}, byline(paper)), " ", badges(paper))))) : null);
}

/** Return what a reader must know of the papers that an answer cites. */
function warnings({ papers }) {
  return papers.map((paper, n) => (paper.status in WARNINGS
    ? el("p", { className: "notice grave" }, `${WARNINGS[paper.status][0]}: [${n + 1}] ${WARNINGS[paper.status][1]}.`)
    : null));
}

/** Name the papers with text that addresses its reader; `set_aside` is missing in answers of older versions. */
function setAside({ papers, set_aside: found = [] }) {
  const mark = (id) => papers.findIndex((paper) => paper.id === id) + 1;
  return found.map((paper) => el("p", { className: "notice" }, el("bdi", {}, mark(paper.id) ? `[${mark(paper.id)}]` : heading(paper)),
    " holds text that addresses its reader; it was not used."));
}

function tools(answer, draft) {
  const problem = el("p", { className: "notice", role: "alert", hidden: true });
  const failed = (error) => {
    fill(problem, sentence(error.message)).hidden = false;
  };
  const panel = whyPanel(answer, draft);
  panel.hidden = true;
  const why = button("Why", () => {
    panel.hidden = !panel.hidden;
    why.setAttribute("aria-expanded", String(!panel.hidden));
  }, { "aria-expanded": "false" });
  return [el("div", { className: "tools" }, why, copyButton(answer, failed), exportMenu(answer, failed)), problem, panel];
}

/** Return the papers cited with the quotes behind prose, for print, where no mark unfolds. */
function printedSources({ papers, sentences }) {
  const cited = sentences.flatMap(({ kind, citations }) => (kind === "prose" ? citations : []));
  const quotes = (paper) => new Set(cited.filter((one) => one.paper_id === paper.id).map((one) => one.quote));
  return el("ol", { className: "sources" }, papers.map((paper) => el("li", {},
    el("cite", {}, heading(paper)), " ", badges(paper), ` ${byline(paper)}, ${paper.id}`,
    [...quotes(paper)].map((quote) => el("blockquote", {}, quote)))));
}
