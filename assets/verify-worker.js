// Checks an audit export in a worker of the browser, with Web Crypto alone. The formats are those of verify.py:
// chain_hash(n) = sha256(content(n) || chain_hash(n-1)), an RFC 6962 tree, C2SP signed notes with Ed25519.
const encoder = new TextEncoder();
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
const unbase64 = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
const joined = (...parts) => {
  const made = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (made.set(part, at), at + part.length), 0);
  return made;
};
const ZERO = Uint8Array.of(0);
const ONE = Uint8Array.of(1);

// --- the zip: its directory, and one member as a stream ---

const DIRECTORY_LIMIT = 1 << 20;
const SMALL_LIMIT = 64 << 20;

const directory = async (file) => {
  const tail = new DataView(await file.slice(Math.max(0, file.size - 65557)).arrayBuffer());
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at -= 1;
  if (at < 0) throw new Error("this is no zip, or it was cut off");
  let [count, size, start] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  if (start === 0xffffffff && at >= 20 && tail.getUint32(at - 20, true) === 0x07064b50) {
    const where = Number(tail.getBigUint64(at - 12, true));
    const far = new DataView(await file.slice(where, where + 56).arrayBuffer());
    [count, size, start] = [32, 40, 48].map((offset) => Number(far.getBigUint64(offset, true)));
  }
  if (size > DIRECTORY_LIMIT) throw new Error("its directory is too long");
  const view = new DataView(await file.slice(start, start + size).arrayBuffer());
  const members = {};
  for (let seen = 0, place = 0; seen < count; seen += 1) {
    const [method, names, extras, notes] = [10, 28, 30, 32].map((offset) => view.getUint16(place + offset, true));
    let [packed, plain, offset] = [20, 24, 42].map((each) => view.getUint32(place + each, true));
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, place + 46, names));
    for (let extra = place + 46 + names, end = extra + extras; extra + 4 <= end; extra += 4 + view.getUint16(extra + 2, true)) {
      if (view.getUint16(extra, true) !== 1) continue;
      let field = extra + 4;
      const wide = (value) => (value === 0xffffffff ? Number(view.getBigUint64((field += 8) - 8, true)) : value);
      plain = wide(plain);
      packed = wide(packed);
      offset = wide(offset);
    }
    if (members[name]) throw new Error(`it holds ${name} twice`);
    members[name] = { method, packed, offset };
    place += 46 + names + extras + notes;
  }
  return members;
};

const opened = async (file, member) => {
  const head = new DataView(await file.slice(member.offset, member.offset + 30).arrayBuffer());
  const begin = member.offset + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const stream = file.slice(begin, begin + member.packed).stream();
  if (member.method === 0) return stream;
  if (member.method === 8) return stream.pipeThrough(new DecompressionStream("deflate-raw"));
  throw new Error("it is packed in a way that is not known here");
};

const small = async (file, member) => {
  const reader = (await opened(file, member)).getReader();
  const parts = [];
  for (let size = 0, each = await reader.read(); !each.done; each = await reader.read()) {
    if ((size += each.value.length) > SMALL_LIMIT) throw new Error("a file in it is too long");
    parts.push(each.value);
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(joined(...parts));
};

async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream("utf-8", { fatal: true })).getReader();
  let held = "";
  for (let each = await reader.read(); !each.done; each = await reader.read()) {
    held += each.value;
    const found = held.split("\n");
    held = found.pop();
    if (held.length > 1 << 20) throw new Error("a line is too long");
    yield* found;
  }
  if (held) yield held;
}

// --- notes and keys ---

const parseNotes = (text) =>
  text.trim() === "" ? [] : text.trim().replaceAll("\r\n", "\n").split(/\n\n(?=workreef\/)/).map((raw) => {
    const [body, below] = raw.split("\n\n");
    const [origin, size, root, chain] = (body || "").split("\n");
    if (!below || !/^(0|[1-9]\d{0,15})$/.test(size || "") || !/^chain [0-9a-f]{64}$/.test(chain || "")) {
      throw new Error("what should be a checkpoint is none");
    }
    const signatures = below.trim().split("\n").map((line) => line.split(" "));
    return { text: body + "\n", origin, size: Number(size), root: hex(unbase64(root)), chain: chain.slice(6), signatures };
  });

const parseKeys = (text) => {
  if (!text.trim()) return [];
  if (text.trim()[0] === "[") {
    return JSON.parse(text).map((each) => ({ name: each.name, id: each.id, raw: unbase64(each.public) }));
  }
  const [name, id, ...packed] = text.trim().split("+");
  return [{ name, id, raw: unbase64(packed.join("+")).slice(1) }];
};

const signed = async (note, keys) => {
  for (const key of keys) {
    const id = hex((await sha256(joined(encoder.encode(`${key.name}\n`), ONE, key.raw))).slice(0, 4));
    for (const [, name, packed] of note.signatures) {
      const bytes = unbase64(packed);
      if (id !== key.id || name !== key.name || hex(bytes.slice(0, 4)) !== id) continue;
      const imported = await crypto.subtle.importKey("raw", key.raw, "Ed25519", false, ["verify"]);
      if (await crypto.subtle.verify("Ed25519", imported, bytes.slice(4), encoder.encode(note.text))) return true;
    }
  }
  return false;
};

// --- the log ---

const rootOf = async (nodes) => {
  if (!nodes.length) return hex(await sha256(new Uint8Array()));
  let made = nodes[nodes.length - 1];
  for (let at = nodes.length - 2; at >= 0; at -= 1) made = await sha256(joined(ONE, nodes[at], made));
  return hex(made);
};

const grow = async (nodes, size, content) => {
  let made = await sha256(joined(ZERO, content));
  for (let at = size; at % 2 === 1; at = Math.floor(at / 2)) made = await sha256(joined(ONE, nodes.pop(), made));
  nodes.push(made);
};

const verify = async ({ file, known, key }) => {
  const members = await directory(file);
  for (const name of ["audit.jsonl", "checkpoints.txt", "keys.json"]) {
    if (!members[name]) throw new Error(`it has no ${name}`);
  }
  const own = parseNotes(await small(file, members["checkpoints.txt"]));
  const given = parseNotes(known);
  const keys = key ? parseKeys(key) : parseKeys(await small(file, members["keys.json"]));
  const wanted = new Map();
  for (const note of [...own, ...given]) wanted.set(note.size, [...(wanted.get(note.size) || []), note]);
  const origin = (own[0] || given[0] || { origin: "" }).origin;
  const nodes = [];
  const apart = [];
  let [size, good, last, trailer] = [0, 0, await sha256(encoder.encode(`workreef/audit/v1/${origin.slice(9)}`)), null];
  const began = performance.now();
  const stop = (kind, why) => ({ stopped: `${kind}: ${why}` });
  for await (const line of lines(await opened(file, members["audit.jsonl"]))) {
    if (trailer) return stop("malformed", `line ${size + 2} comes after the trailer`);
    let said;
    try {
      said = JSON.parse(line);
    } catch {
      return stop("malformed", `line ${size + 1} is no JSON`);
    }
    if (said.trailer) {
      trailer = said.trailer;
      if (JSON.stringify(said) !== line) return stop("malformed", `line ${size + 1} is not the form of a trailer`);
      if (trailer.first) return stop("malformed", "an export of a range is for verify.py");
      continue;
    }
    if (`{"seq":${said.seq},"content":${JSON.stringify(said.content)},"chain_hash":"${said.chain_hash}"}` !== line) {
      return stop("malformed", `line ${size + 1} is not the form of an entry`);
    }
    if (said.seq !== size + 1) return stop(said.seq > size + 1 ? "missing" : "inserted", `entry ${size + 1} is not where it should be`);
    const content = encoder.encode(said.content);
    last = await sha256(joined(content, last));
    if (hex(last) !== said.chain_hash) {
      return stop("edited", `entry ${said.seq} or its hash was changed, or the log is another tenant's`);
    }
    await grow(nodes, size, content);
    size += 1;
    if (wanted.has(size)) {
      const root = await rootOf(nodes);
      for (const note of wanted.get(size)) (note.root === root && note.chain === said.chain_hash ? (good = size) : apart.push(note));
    }
    if (size % 2000 === 0) postMessage({ kind: "running", done: size, rate: Math.round((size * 1000) / (performance.now() - began)) });
  }
  return { own, given, keys, origin, size, good, last: hex(last), trailer, apart };
};

const judged = async (found) => {
  if (found.stopped) return [found.stopped];
  const { own, given, keys, origin, size, good, last, trailer, apart } = found;
  const verdicts = [];
  if (!trailer) verdicts.push(`tail cut: there is no trailer after entry ${size}`);
  else if (trailer.count !== size) verdicts.push(`tail cut: the trailer counts ${trailer.count}, and there are ${size}`);
  else if (trailer.head !== last) verdicts.push("edited: the trailer's hash is not the last entry's");
  if (trailer && origin !== `workreef/${trailer.tenant}`) verdicts.push("foreign origin: the checkpoints are another log's");
  for (const note of apart) {
    verdicts.push(given.includes(note) ? `forked: your checkpoint of ${note.size} entries is of another log`
      : `rewritten: the checkpoint of ${note.size} entries does not fit; the last that does is of ${good}`);
  }
  for (const note of own) if (note.size > size) verdicts.push(`tail cut: a checkpoint covers ${note.size} entries`);
  for (const note of given) {
    if (note.origin !== origin) verdicts.push(`foreign origin: your checkpoint is one of ${note.origin}`);
    else if (note.size > size) verdicts.push(`rolled back: your checkpoint covers ${note.size} entries, and there are ${size}`);
  }
  for (const note of [...given, ...own.slice(-1)]) {
    if (!(await signed(note, keys))) verdicts.push(`bad signature: the checkpoint of ${note.size} entries`);
  }
  if (!verdicts.length && good < size) verdicts.push(`unanchored: no checkpoint covers the entries from ${good + 1} on`);
  return [...new Set(verdicts)];
};

onmessage = async ({ data }) => {
  const notProven = [
    ...(data.known ? [] : ["that this is not an older copy, and that everybody is shown the same log"]),
    ...(data.key ? [] : ["whose the keys in the file are: compare them with one that you were given elsewhere"]),
    "that each content is canonical JSON, which verify.py checks too",
    "events that were never written: no log can prove that there were none",
  ];
  let [verdicts, size] = [[], 0];
  try {
    const found = await verify(data);
    size = found.size || 0;
    verdicts = await judged(found);
  } catch (error) {
    verdicts = [`malformed: ${error.message || error}`];
  }
  const sentence = verdicts.length ? `${verdicts[0].split(":")[0]}: the file is not proven.` : `${size.toLocaleString("en-US")} entries, each chained to the one before, proven to a checkpoint.`;
  postMessage({ kind: "done", ok: !verdicts.length, sentence: sentence[0].toUpperCase() + sentence.slice(1), verdicts, notProven });
};
