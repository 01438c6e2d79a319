/** The page: puts its parts together and asks. */

import { ask, get } from "./api.js";
import { announce, button, el, fill, find } from "./dom.js";
import { Evidence } from "./evidence.js";
import { FILTERS, Filters } from "./filters.js";
import { heading } from "./papers.js";
import { Session } from "./session.js";
import { counted, sentence } from "./text.js";
import { Turn, newRecord } from "./turn.js";

const THEMES = ["auto", "light", "dark"];
// Answers that are sent with a follow-up question if the service no longer keeps the conversation.
const KEPT_ANSWERS = 4;
const question = find("question");
const session = new Session();
const filters = new Filters(find("chips"), () => {});
const evidence = new Evidence((name, value) => {
  filters.add(name, value);
  announce(`Filter added: ${name} ${value}`);
  question.focus();
});
let indexes = [];
let running = null;

const actions = {
  similar,
  only: (paper) => {
    question.value = `In “${heading(paper)}”: ${question.value}`;
    fit();
    question.focus();
    question.setSelectionRange(question.value.length, question.value.length);
  },
  retry: (text) => submit(text),
};

/** Ask a question, or search for papers only, in a new turn. */
async function submit(text) {
  const asked = filters.take(text, { finished: true }).trim();
  if (!asked || running) return;
  const record = newRecord(asked, filters.words);
  const { current } = session;
  evidence.close();
  const turn = draw(record);
  current.turns.push(record);
  current.index = index();
  question.value = "";
  fit();
  running = new AbortController();
  showState();
  turn.begin();
  turn.element.scrollIntoView({ block: "start" });
  try {
    await (find("style").value === "papers" ? search(turn) : answer(turn, current));
  } catch (error) {
    if (error.name === "AbortError") turn.stop();
    else turn.fail(error);
  }
  running = null;
  session.save();
  showState();
}

async function answer(turn, conversation) {
  const request = { question: turn.record.question, index: index(), literal: find("literal").checked, ...filters.values };
  if (find("style").value !== "auto") request.style = find("style").value;
  for await (const [name, data] of goingOn(request, conversation)) {
    conversation.id = data.conversation ?? conversation.id;
    turn.take(name, data);
    if (name === "hits") filters.notice(data.hits.map((hit) => hit.paper));
  }
}

/** Ask in a conversation; if the service no longer keeps it, its last answers are sent along. */
async function* goingOn(request, { id, turns }) {
  const history = turns.map((record) => record.answer).filter(Boolean).slice(-KEPT_ANSWERS);
  try {
    yield* ask({ ...request, ...(id ? { conversation: id } : { history }) }, running.signal);
  } catch (error) {
    if (!id || error.status !== 404) throw error;
    yield* ask({ ...request, history }, running.signal);
  }
}

async function search(turn) {
  const { hits } = await get("api/search", { q: turn.record.question, index: index(), full: true, ...filters.values }, running.signal);
  turn.take("hits", { hits, query: null });
  turn.listed();
}

/** Return the papers like one; null if the service failed, after a message. */
async function similar(paper) {
  try {
    const { hits } = await get("api/similar", { paper_id: paper.id, index: index(), full: true });
    return hits.map((hit) => hit.paper);
  } catch (error) {
    notify(error.message);
    return null;
  }
}

function index() {
  return find("index").value || undefined;
}

function draw(record) {
  const turn = new Turn(record, { actions, evidence });
  find("turns").append(turn.element);
  document.body.classList.remove("new");
  return turn;
}

/** Draw the current conversation again. */
function drawAll() {
  evidence.close();
  find("turns").replaceChildren();
  document.body.classList.add("new");
  session.current.turns.forEach(draw);
  showIndex();
  showState();
}

function showState() {
  const asked = session.conversations.filter((one) => one.turns.length);
  find("ask").hidden = Boolean(running);
  find("stop").hidden = !running;
  find("new").hidden = !session.current.turns.length;
  find("history").hidden = !asked.length;
  notify("");
  fill(find("conversations"), asked.toReversed().map((one) => el("li", {}, button(one.turns[0].question, () => {
    if (busy()) return;
    find("history").open = false;
    session.open(one);
    drawAll();
    question.focus();
  }, { "aria-current": one === session.current ? "true" : null }),
  el("span", { className: "quiet" }, ` ${counted(one.turns.length, "question")}`))));
}

/** Begin a conversation about an index. */
function begin(name) {
  if (busy()) return showIndex();
  session.begin().index = name;
  drawAll();
  question.focus();
}

/** Say that an answer is on its way, if one is: it belongs to the conversation that is shown. */
function busy() {
  if (running) notify("Stop the answer, or wait for it, before leaving the conversation");
  return Boolean(running);
}

function notify(text) {
  fill(find("notice"), text && sentence(text)).hidden = !text;
}

/** Make the question's box as high as its lines; browsers that can do it in CSS do. */
function fit() {
  question.rows = Math.min(8, question.value.split("\n").length);
}

async function loadIndexes() {
  indexes = await get("api/indexes");
  fill(find("index"), indexes.map(({ name }) => el("option", { value: name }, name)));
  find("index-choice").hidden = indexes.length < 2;
  showIndex();
}

/** Show the index of the current conversation, and how answers from it can be. */
function showIndex() {
  const chosen = indexes.find(({ name }) => name === session.current.index) ?? indexes[0];
  if (!chosen) return;
  find("index").value = chosen.name;
  fill(find("about"), `${counted(chosen.papers, "paper")} · ${chosen.model ?? "answers in quotes"}`);
  const [prose, quotes] = find("style").options;
  fill(prose, chosen.model ? "prose" : "quotes");
  quotes.hidden = !chosen.model;
}

function showTheme() {
  find("theme").textContent = `Theme: ${document.documentElement.dataset.theme ?? "auto"}`;
}

function switchTheme() {
  const now = document.documentElement.dataset.theme ?? "auto";
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("theme", next === "auto" ? "" : next);
  } catch {
    // Storage may be forbidden: the choice holds until the page is left.
  }
  showTheme();
}

function suggest() {
  const name = find("filter-name").value;
  fill(find("filter-values"), filters.suggestions(name).map((value) => el("option", { value })));
  find("filter-value").placeholder = `such as ${FILTERS[name].example}`;
}

function openFilter(open) {
  find("filter").hidden = !open;
  find("add-filter").setAttribute("aria-expanded", String(open));
  if (open) {
    suggest();
    find("filter-value").focus();
  }
}

function listen() {
  find("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit(question.value);
  });
  question.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit(question.value);
    } else if (event.key === "Backspace" && !question.value) {
      filters.remove();
    }
  });
  question.addEventListener("input", () => {
    const kept = filters.take(question.value, { finished: false });
    if (kept !== question.value) question.value = kept.trimStart();
    fit();
  });
  find("stop").addEventListener("click", () => running?.abort());
  find("new").addEventListener("click", () => begin(index()));
  find("index").addEventListener("change", () => begin(index()));
  find("theme").addEventListener("click", switchTheme);
  find("add-filter").addEventListener("click", () => openFilter(find("filter").hidden));
  find("filter-name").addEventListener("change", suggest);
  find("filter").addEventListener("submit", (event) => {
    event.preventDefault();
    filters.add(find("filter-name").value, find("filter-value").value.trim());
    find("filter-value").value = "";
    openFilter(false);
    question.focus();
  });
  document.addEventListener("keydown", escape);
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
}

/** Let Escape close what is open, the topmost first, and else stop the answer. */
function escape(event) {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (evidence.open) evidence.close();
  else if (!find("filter").hidden) {
    openFilter(false);
    question.focus();
  } else running?.abort();
}

fill(find("filter-name"), Object.entries(FILTERS).map(([name, { label }]) => el("option", { value: name }, label)));
listen();
showTheme();
session.current.turns.forEach(({ hits }) => filters.notice(hits.map((hit) => hit.paper)));
drawAll();
loadIndexes().catch((error) => notify(error.message));
question.focus();
