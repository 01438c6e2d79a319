/** Filters as chips: typed into the question (`venue:NeurIPS`), picked in the form, or taken from a paper. */

import { button, el, fill } from "./dom.js";

// How many values each takes: a year or a range is one, of venues and authors there may be several.
export const FILTERS = {
  author: { label: "author", several: true, example: "Ian Gemp" },
  venue: { label: "venue", several: true, example: "NeurIPS" },
  year: { label: "year or years", several: false, example: "2019..2022" },
  since: { label: "first year", several: false, example: "2020" },
  source: { label: "source file", several: true, example: "refs.bib" },
  status: { label: "status", several: true, example: "preprint" },
  without: { label: "status to leave out", several: true, example: "retracted" },
};
const STATUSES = ["retracted", "expression of concern", "corrected", "preprint"];
const TYPED = new RegExp(`(^|\\s)(${Object.keys(FILTERS).join("|")})[:=]("[^"]+"|[^\\s"]+)(?=\\s|$)`, "g");

export class Filters {
  #chosen = [];
  #seen = new Map(Object.keys(FILTERS).map((name) => [name, new Set()]));

  /** Chips go into the list; `changed` is called after each change. */
  constructor(list, changed) {
    this.list = list;
    this.changed = changed;
    for (const name of ["status", "without"]) STATUSES.forEach((status) => this.#seen.get(name).add(status));
  }

  add(name, value) {
    const kept = this.#chosen.filter((one) => one.name !== name || (FILTERS[name].several && one.value !== value));
    this.#set([...kept, { name, value }]);
  }

  /** Remove the last one, or the one given; say whether there was any. */
  remove(one = this.#chosen.at(-1)) {
    this.#set(this.#chosen.filter((other) => other !== one));
    return Boolean(one);
  }

  /** Take filters out of what is typed; of an unfinished text not the word at its end. */
  take(text, { finished }) {
    return text.replace(TYPED, (all, before, name, value, at) => {
      if (!finished && at + all.length === text.length) return all;
      this.add(name, value.replaceAll('"', ""));
      return before;
    });
  }

  /** Return the filters as the service takes them. */
  get values() {
    const found = {};
    for (const { name, value } of this.#chosen) {
      if (FILTERS[name].several) (found[name] ??= []).push(value);
      else found[name] = name === "since" ? Number(value) || value : value;
    }
    return found;
  }

  get words() {
    return this.#chosen.map(({ name, value }) => `${name}: ${value}`).join(", ");
  }

  /** Remember the papers' authors, venues and years, to suggest them. */
  notice(papers) {
    for (const paper of papers) {
      paper.authors?.forEach((author) => this.#seen.get("author").add(author));
      if (paper.venue) this.#seen.get("venue").add(paper.venue);
      if (paper.year) ["year", "since"].forEach((name) => this.#seen.get(name).add(String(paper.year)));
      paper.sources?.forEach((source) => this.#seen.get("source").add(source.path.split(/[/\\]/).at(-1)));
    }
  }

  suggestions(name) {
    return [...this.#seen.get(name)].sort();
  }

  #set(chosen) {
    this.#chosen = chosen;
    fill(this.list, chosen.map((one) => el("li", {}, this.#chip(one))));
    this.list.hidden = !chosen.length;
    this.changed();
  }

  #chip(one) {
    return button(`${one.name}: ${one.value}`, () => this.#drop(one), {
      className: "chip",
      "aria-label": `Remove the filter ${one.name}: ${one.value}`,
      keydown: (event) => {
        if (["Backspace", "Delete"].includes(event.key)) this.#drop(one);
      },
    });
  }

  /** Remove a chip, and leave the focus on the next one, if there is any. */
  #drop(one) {
    const position = this.#chosen.indexOf(one);
    this.remove(one);
    const chips = this.list.querySelectorAll("button");
    (chips[Math.min(position, chips.length - 1)] ?? document.getElementById("question")).focus();
  }
}
