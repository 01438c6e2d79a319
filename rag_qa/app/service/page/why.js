/** Why an answer says what it says: what was understood, what was decided and from what, verdicts, and time. */

import { verified } from "./api.js";
import { announce, button, el, fill } from "./dom.js";
import { counted, percent, seconds } from "./text.js";

// What the clues are; those in LOG_ODDS are what the language model or the verdict said, as log odds.
const CLUES = {
  passage_similarity: "the best passage is near to the question",
  sentence_similarity: "the best sentence is near to the question",
  said: "what is asked beyond the title stands in the paper",
  alignment: "each word of the question meets one in the evidence",
  name_missing: "a name is asked for that no good paper has",
  number_missing: "a number is asked for that no sentence gives",
  stated: "the model: the evidence states the answer",
  confirmed: "the model: what is cited states it alone",
  supported: "the verdict: what is cited supports the answer",
};
const LOG_ODDS = ["stated", "confirmed", "supported"];
// Sentences that need no verdict.
const BY_KIND = { quote: "a quote: these are the words of the abstract", metadata: "from the index's metadata" };
const STAGES = {
  search: "searching", evidence: "choosing sentences", prompt: "preparing the prompt", decide: "the model decides",
  write: "the model writes", attribute: "attributing and judging", total: "altogether",
};

export function whyPanel(answer, draft) {
  return el("div", { className: "why" },
    understood(answer), decision(answer), verdicts(answer), written(answer, draft), times(answer), made(answer), checking(answer));
}

function understood({ query, question }) {
  if (!query) return null;
  const meant = query.understood_as ?? query.text;
  return part("How it was understood", definitions([
    ["asked", question],
    ["understood", meant === question ? "as it was asked" : meant],
    ["searched for", query.topic === query.text ? null : query.topic],
  ]));
}

function decision({ confidence, provenance }) {
  const clues = Object.entries(provenance?.clues ?? {});
  if (confidence === null && !clues.length) return null;
  return part("Whether the papers answer it",
    confidence === null ? null : el("p", {}, `Probability that they do: ${percent(confidence)}.`),
    bars(clues.map(([name, value]) => [
      CLUES[name] ?? name.replaceAll("_", " "),
      LOG_ODDS.includes(name) ? 1 / (1 + Math.exp(-value)) : value,
      LOG_ODDS.includes(name) ? percent(1 / (1 + Math.exp(-value))) : value.toFixed(2),
    ])));
}

function verdicts({ sentences }) {
  if (!sentences.length) return null;
  return part("What stands behind each sentence", el("ol", {}, sentences.map(({ text, kind, citations, verdict }) =>
    el("li", {},
      el("p", {}, text),
      el("p", { className: "quiet" }, BY_KIND[kind] ?? judged(verdict)),
      kind in BY_KIND ? null : citations.map(({ quote }) => el("blockquote", { dir: "auto" }, quote))))));
}

function judged({ label, probability, reasons }) {
  return `${label}, ${percent(probability)}${reasons.length ? `: ${reasons.join("; ")}` : ""}`;
}

/** Return what the model wrote, if not all of it was kept. */
function written({ sentences }, draft) {
  const kept = sentences.filter((sentence) => sentence.kind === "prose").map((sentence) => sentence.text);
  if (!draft.trim() || kept.join(" ").length >= draft.trim().length) return null;
  return part("What the model wrote at first", el("p", {}, draft.trim()),
    el("p", { className: "quiet" }, "What no abstract supports was written once more, replaced by a quote or left out."));
}

function times({ timings }) {
  const all = Object.entries(timings).filter(([name]) => name !== "total");
  const total = timings.total ?? all.reduce((sum, [, value]) => sum + value, 0);
  return part("What each stage took", bars([...all, ["total", total]].map(([name, value]) =>
    [STAGES[name] ?? name, total ? value / total : 0, seconds(value)])));
}

function made({ provenance }) {
  const { generator, embedder, index_generation, settings, rag_qa } = provenance ?? {};
  return part("What made it", definitions([
    ["language model", generator?.name ?? "none: the answer is quoted or read from the index"],
    ["embedder", embedder?.name],
    ["index", index_generation === undefined ? null : `generation ${index_generation}`],
    ["prompt", provenance?.prompt_tokens ? `${provenance.prompt_tokens} tokens` : null],
    ["seed", settings?.seed],
    ["rag_qa", rag_qa],
  ]));
}

/** Return a button that lets the service check quotes and verdicts once more, without the language model. */
function checking(answer) {
  const found = el("ul", {});
  const check = button("Check every quote and verdict again", async () => {
    const checks = await verified(answer).catch((error) => [{ name: "not checked", status: "fail", detail: error.message }]);
    const failed = checks.filter(({ status }) => status === "fail");
    const sum = failed.length ? `${counted(failed.length, "check")} failed.` : `${counted(checks.length, "check")}: all hold.`;
    fill(found, el("li", {}, el("strong", {}, sum)), checks.map(({ name, status, detail }) => el("li", {}, `${status}: ${name}: ${detail}`)));
    announce(sum);
  });
  return el("div", {}, check, found);
}

function part(title, ...children) {
  return el("div", {}, el("h3", {}, title), children);
}

function definitions(rows) {
  const known = rows.filter(([, value]) => value !== null && value !== undefined);
  return el("dl", {}, known.map(([name, value]) => [el("dt", {}, name), el("dd", { dir: "auto" }, value)]));
}

/** Return rows of a name, a bar as long as a share of 1, and the share in words. */
function bars(rows) {
  return el("table", {}, el("tbody", {}, rows.map(([name, share, words]) => el("tr", {},
    el("th", { scope: "row" }, name),
    el("td", { className: "bar", "aria-hidden": "true" }, bar(share)),
    el("td", {}, words)))));
}

function bar(share) {
  const line = el("span", {});
  line.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  return line;
}
