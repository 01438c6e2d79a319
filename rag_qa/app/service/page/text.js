/** Texts of papers and of the model are data: cut by characters as Python counts them, shown without what acts on them. */

// C0 but tab and newline, DEL, C1, and what turns the direction of text: as the terminal strikes them.
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Return a text without the characters that would act on how it is shown. */
export function inert(text) {
  return String(text).replace(ACTING, "");
}

/** Return a text in pieces [text, marked]; the spans (in code points, as Python counts) are marked. */
export function pieces(text, spans) {
  const characters = Array.from(text);
  const marked = new Uint8Array(characters.length);
  for (const { start, end } of spans) marked.fill(1, start, end);
  const found = [];
  characters.forEach((character, n) => {
    if (n && marked[n] === marked[n - 1]) found.at(-1)[0] += character;
    else found.push([character, Boolean(marked[n])]);
  });
  return found;
}

/** Return seconds in words, as fine as they matter. */
export function seconds(value) {
  if (value < 0.0005) return "under 1 ms";
  return value < 1 ? `${Math.round(1000 * value)} ms` : `${value.toFixed(1)} s`;
}

/** Return a number and its noun, such as "1 paper" or "60 papers". */
export function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Return a message as a sentence: with a capital, and an end. */
export function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?…)`]$/.test(text) ? "" : "."}`;
}

export function percent(value) {
  return `${Math.round(100 * value)} %`;
}
