/** Elements from values: text goes in as text nodes only; nothing in it can become markup. */

import { inert } from "./text.js";

/** Return an element. Functions among the properties listen to events, and what is null is left out. */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(key, value);
    else if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  fill(element, ...children);
  return element;
}

/** Put children into an element in the stead of those that it has; strings as text, null not at all. */
export function fill(element, ...children) {
  const kept = children.flat(Infinity).filter((child) => child !== null && child !== undefined);
  element.replaceChildren(...kept.map((child) => (child instanceof Node ? child : inert(child))));
  return element;
}

export function button(text, click, properties = {}) {
  return el("button", { type: "button", click, ...properties }, text);
}

export function find(id) {
  return document.getElementById(id);
}

/** Say something to who listens to the page rather than sees it. */
export function announce(text) {
  fill(find("status"), text);
}
