/** Talks to the service: plain requests, and answers as a stream of events. */

/** What went wrong, in a sentence that says what to do; `status` is that of HTTP, if there was a response. */
export class ServiceError extends Error {
  constructor(message, { status = null, cause } = {}) {
    super(message, { cause });
    this.status = status;
  }
}

const UNREACHABLE = "The service cannot be reached. Start it again with `rag-qa serve`, then ask again.";

/** Yield the events [name, data] of an answer while they come. Throws ServiceError, or AbortError once stopped. */
export async function* ask(request, signal) {
  const response = await post("api/ask", request, { signal, accept: "text/event-stream" });
  let ended = false;
  for await (const [name, data] of events(response.body)) {
    if (name === "error") throw new ServiceError(messageOf(data));
    ended = name === "answer";
    yield [name, data];
  }
  if (!ended) throw new ServiceError("The answer broke off. Ask again; if it does again, see what `rag-qa serve` prints.");
}

export async function get(path, parameters = {}, signal = undefined) {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  const query = new URLSearchParams(pairs.filter(([, value]) => value !== null && value !== undefined));
  return (await send(`${path}${query.size ? `?${query}` : ""}`, { signal })).json();
}

export async function exported(answer, format) {
  return (await post("api/export", { answer, format })).text();
}

/** Return the checks of an answer, each with name, status (ok, note, fail) and detail. */
export async function verified(answer) {
  return (await post("api/verify", answer)).json();
}

function post(path, body, { signal, accept = "*/*" } = {}) {
  const headers = { "Content-Type": "application/json", Accept: accept };
  return send(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    throw error.name === "AbortError" ? error : new ServiceError(UNREACHABLE, { cause: error });
  }
  if (response.ok) return response;
  const { status } = response;
  throw new ServiceError(messageOf(await response.json().catch(() => null), status), { status });
}

/** Return what an error's body says, whichever of the usual shapes it has. */
function messageOf(body, status = "") {
  const said = body?.error?.message ?? body?.error ?? body?.message ?? body?.detail;
  if (Array.isArray(said)) return said.map((one) => one.msg ?? String(one)).join("; ");
  return typeof said === "string" ? said : `The service failed (${status}). See what \`rag-qa serve\` prints, then ask again.`;
}

/** Yield the events of a stream of server-sent events, as [name, parsed data]; comments keep it alive only. */
async function* events(body) {
  let rest = "";
  for await (const text of texts(body)) {
    const blocks = (rest + text).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split(/\r?\n/);
      const data = valuesOf(lines, "data").join("\n");
      if (data) yield [valuesOf(lines, "event").at(-1) ?? "message", JSON.parse(data)];
    }
  }
}

function valuesOf(lines, field) {
  return lines.filter((line) => line.startsWith(`${field}:`)).map((line) => line.slice(field.length + 1).trimStart());
}

async function* texts(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw error.name === "AbortError" ? error : new ServiceError(UNREACHABLE, { cause: error });
  } finally {
    reader.cancel().catch(() => {});
  }
}
