/** A turn on the page: the question, the papers found beside it, the answer as it comes, and what stands behind it. */

import { announce, button, el, fill } from "./dom.js";
import { ending } from "./ending.js";
import { heading, paperList } from "./papers.js";
import { counted, sentence } from "./text.js";

const SHOWN_PAPERS = 6;
// So many of a sentence's last characters find it in the draft, whose beginning may have been given to the model.
const TAIL = 24;

/** What is kept of a turn: plain data, from which the page can be drawn again. */
export function newRecord(question, filterWords) {
  return { question, filterWords, hits: [], query: null, draft: "", sentences: [], answer: null, error: null, stopped: false };
}

export class Turn {
  #marks = new Map();
  #papers = new Map();
  #listed = null;

  /** Draw a record; `actions` are `similar`, `only` and `retry`, `evidence` is the page's one. */
  constructor(record, { actions, evidence }) {
    this.record = record;
    this.actions = { ...actions, open: (paper, event) => this.#open(paper, event), similar: (paper) => this.#similar(paper) };
    this.find = actions.similar;
    this.evidence = evidence;
    this.#build();
    this.#restore();
  }

  #build() {
    this.understood = el("p", { className: "understood", hidden: true });
    this.progress = el("p", { className: "progress", hidden: true });
    this.answer = el("div", { className: "answer" });
    this.draft = el("p", { className: "draft", "aria-hidden": "true", hidden: true });
    this.end = el("div", { className: "end" });
    this.slot = el("div", { className: "slot" });
    this.found = el("div", { className: "found" });
    const filters = this.record.filterWords;
    this.element = el("article", { className: "turn" },
      el("header", {},
        el("h2", { tabIndex: -1, dir: "auto" }, this.record.question),
        filters ? el("p", { className: "understood" }, `Only papers with ${filters}`) : null,
        this.understood),
      el("div", { className: "said" }, this.progress, this.answer, this.draft, this.end),
      el("div", { className: "margin" }, this.slot, this.found));
  }

  #restore() {
    const { hits, sentences, answer, error, stopped } = this.record;
    if (hits.length || this.record.query) this.#showHits();
    sentences.forEach((one) => this.#showSentence(one));
    if (answer) this.#showEnd();
    if (error) this.#showError();
    if (stopped) this.#showStopped();
  }

  /** Begin to wait for an answer. */
  begin() {
    const started = Date.now();
    const clock = el("span", { "aria-hidden": "true" });
    this.step = el("span", {}, "Searching");
    fill(this.progress, el("span", { className: "spinner", "aria-hidden": "true" }), this.step, clock);
    this.progress.hidden = false;
    this.answer.setAttribute("aria-live", "polite");
    this.timer = setInterval(() => fill(clock, ` ${Math.round((Date.now() - started) / 1000)} s`), 1000);
    announce("Searching");
  }

  /** Take an event of the answer. */
  take(name, data) {
    const { record } = this;
    if (name === "hits") {
      Object.assign(record, { hits: data.hits, query: data.query });
      this.#showHits();
      fill(this.step, record.hits.length ? "Reading the papers found" : "Looking");
      announce(`${counted(record.hits.length, "paper")} found`);
    } else if (name === "piece") {
      record.draft += data.piece;
      this.#showDraft(this.draft.textContent + data.piece);
      fill(this.step, "Writing; what is dim is not checked yet");
    } else if (name === "sentence") {
      record.sentences.push(data.sentence);
      this.#checked(data.sentence);
    } else if (name === "answer") {
      record.answer = data.answer;
      this.#finish();
      this.#showEnd();
    }
  }

  fail(error) {
    this.record.error = error.message;
    this.#finish();
    this.#showError();
  }

  stop() {
    this.record.stopped = true;
    this.#finish({ keepDraft: true });
    this.#showStopped();
    announce("Stopped");
  }

  /** End a search for papers only: there is no answer to wait for. */
  listed() {
    this.#finish();
    if (!this.record.hits.length) fill(this.end, el("p", { className: "quiet" }, "No paper was found."));
  }

  #finish({ keepDraft = false } = {}) {
    clearInterval(this.timer);
    this.progress.hidden = true;
    if (!keepDraft) this.#showDraft("");
    // Reading the last sentence out begins before the region stops being live.
    setTimeout(() => this.answer.removeAttribute("aria-live"), 1000);
  }

  #showHits() {
    const { hits, query } = this.record;
    if (query?.understood_as) fill(this.understood, `Understood as: ${query.understood_as}`).hidden = false;
    hits.forEach(({ paper }) => this.#papers.set(paper.id, paper));
    this.#list(hits.map((hit) => hit.paper), counted(hits.length, "paper") + " found");
  }

  /** List papers beside the answer: the first of them, then all. */
  #list(papers, title, { all = false, back = null } = {}) {
    this.#listed = { papers, title, all, back };
    const shown = all ? papers : papers.slice(0, SHOWN_PAPERS);
    fill(this.found,
      el("h3", {}, title),
      back ? button("Back to the papers found", back, { className: "quiet" }) : null,
      paperList(shown, { actions: this.actions, marks: this.#marks, label: title }),
      shown.length < papers.length
        ? button(`Show all ${papers.length}`, () => this.#list(papers, title, { all: true, back }), { className: "quiet" })
        : null);
  }

  async #similar(paper) {
    const papers = await this.find(paper);
    if (!papers) return;
    papers.forEach((found) => this.#papers.set(found.id, found));
    const back = () => {
      this.#showHits();
      this.found.querySelector("button")?.focus();
    };
    this.#list(papers, `Papers like “${heading(paper)}”`, { back });
    this.found.querySelector("button").focus();
    announce(`${counted(papers.length, "similar paper")} listed`);
  }

  #showDraft(text) {
    this.draft.textContent = text;
    this.draft.hidden = !text.trim();
  }

  /** Put a checked sentence in the stead of what the draft says up to there. */
  #checked(checked) {
    const draft = this.draft.textContent;
    const tail = checked.text.slice(-TAIL);
    const at = draft.indexOf(tail);
    if (at >= 0) this.#showDraft(draft.slice(at + tail.length));
    this.#showSentence(checked);
  }

  #showSentence({ text, kind, citations, verdict }) {
    const doubt = verdict.label === "supported" ? null
      : el("span", { className: "badge doubt" }, `${verdict.label} by its source`);
    this.answer.append(
      el("p", { className: `sentence ${kind}` },
        el("span", { dir: "auto" }, kind === "quote" ? `“${text}”` : text), this.#markButtons(citations, kind), doubt), "\n");
  }

  /** Return a mark for each paper cited, numbered in order of citation. */
  #markButtons(citations, kind) {
    for (const { paper_id } of citations) {
      if (!this.#marks.has(paper_id)) this.#marks.set(paper_id, this.#marks.size + 1);
    }
    const ids = [...new Set(citations.map((citation) => citation.paper_id))];
    ids.sort((one, other) => this.#marks.get(one) - this.#marks.get(other));
    return ids.map((id) => this.#mark(id, citations.filter((citation) => citation.paper_id === id), kind));
  }

  /** Return a mark; what the index itself knows of a paper is not read in its abstract, so nothing is marked there. */
  #mark(id, citations, kind) {
    const number = this.#marks.get(id);
    const spans = kind === "metadata" ? [] : citations;
    const show = (mark) => {
      const paper = this.#papers.get(id) ?? this.record.answer?.papers.find((one) => one.id === id);
      if (paper) this.evidence.show(paper, spans, { slot: this.slot, opener: mark, number });
    };
    const paper = this.#papers.get(id);
    return button(String(number), (event) => {
      show(event.currentTarget);
      // By keyboard, or if it covers the text, it gets the focus; Escape returns the focus.
      if (event.detail === 0 || !this.evidence.follows) this.evidence.focus();
    }, {
      className: "mark",
      "aria-label": `Source ${number}${paper ? `: ${heading(paper)}` : ""}. Show it`,
      "aria-expanded": "false",
      pointerenter: (event) => {
        if (event.pointerType === "mouse" && this.evidence.follows) show(event.currentTarget);
      },
      focus: (event) => {
        if (this.evidence.follows) show(event.currentTarget);
      },
    });
  }

  /** Show a paper with the passage marked by which it was found, if it was. */
  #open(paper, event) {
    const hit = this.record.hits.find((one) => one.paper.id === paper.id);
    const spans = hit?.passage && hit.passage.text.length < paper.abstract.length ? [hit.passage] : [];
    this.evidence.show(paper, spans, { slot: this.slot, opener: event.currentTarget });
    this.evidence.focus();
  }

  #showEnd() {
    const { answer, hits } = this.record;
    answer.papers.forEach((paper) => this.#papers.set(paper.id, paper));
    if (hits.length && this.#listed && !this.#listed.back) this.#list(this.#listed.papers, this.#listed.title, this.#listed);
    fill(this.end, ending(answer, { draft: this.record.draft, open: this.actions.open }));
    announce(answer.abstained ? "The papers don’t say." : `Answered in ${counted(answer.sentences.length, "sentence")}.`);
  }

  #showError() {
    fill(this.end, el("div", { className: "notice", role: "alert" },
      el("p", {}, sentence(this.record.error)),
      button("Ask again", () => this.actions.retry(this.record.question))));
  }

  #showStopped() {
    fill(this.end, el("p", { className: "quiet" },
      "Stopped. What is dim was not checked. "), button("Ask again", () => this.actions.retry(this.record.question)));
  }
}
