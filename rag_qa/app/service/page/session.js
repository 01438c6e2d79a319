/** The conversations of this tab: they survive a reload, and are gone when the tab is closed. */

const KEY = "conversations";
const MOST = 20;

export class Session {
  constructor() {
    this.conversations = stored();
    this.current = this.conversations.at(-1) ?? this.begin();
  }

  /** Begin a conversation, unless the current one is still empty. */
  begin() {
    if (!this.current || this.current.turns.length) {
      this.current = { id: null, turns: [] };
      this.conversations = [...this.conversations.slice(1 - MOST), this.current];
    }
    return this.current;
  }

  open(conversation) {
    this.current = conversation;
  }

  /** Keep them, as many of the latest as the browser has room for. */
  save() {
    for (let kept = this.conversations.filter((one) => one.turns.length); kept.length; kept = kept.slice(1)) {
      try {
        sessionStorage.setItem(KEY, JSON.stringify(kept));
        return;
      } catch {
        // Too much, or storage is forbidden: try with fewer, and go on without.
      }
    }
  }
}

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}
