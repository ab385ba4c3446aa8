// The page: choose a persona, talk to it, and have a second one join. It keeps a conversation while it is open, nowhere else.

const STARTERS = ["How was your day?", "Are you hungry?", "Tell me about your family.", "I need your advice.", "What do you do all day?"];
const CAST = 2; // personas in a scene, at most
const SCENE_LINES = 6; // lines that personas speak without anybody asking
const SCENE_PAUSE = 1800; // milliseconds between them, to read
const READ_TURNS = 100; // turns that are sent: personas read fewer

const $ = (id) => document.getElementById(id);
const clone = (id) => $(id).content.firstElementChild.cloneNode(true);

let models = []; // the personas, as the server lists them
let cast = []; // those who take part
let turns = []; // { speaker: a name, or null for the user, text, candidates, shownTexts }
let request = null; // the AbortController of the reply that is awaited
let sceneRun = null; // the run of a scene that goes on by itself

// ---- The server

async function call(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  const key = sessionStorage.getItem("charbot-key");
  if (key) headers.Authorization = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer. Is charbot still running?");
  }
  if (response.status === 401) {
    await askKey(key ? "That key is wrong." : "");
    return call(path, body, signal);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error?.message ?? `The server answered ${response.status}.`);
  return answer;
}

function askKey(problem) {
  sessionStorage.removeItem("charbot-key");
  $("key-problem").textContent = problem;
  $("key-field").value = "";
  $("key").showModal();
  return new Promise((resolve, reject) => {
    $("key").addEventListener("close", () => {
      const key = $("key-field").value.trim();
      if (!key) return reject(new Error("Without its key the server does not answer. Reload the page to enter it."));
      // The browser cannot send others in a header.
      if (!/^[ -~]+$/.test(key)) return resolve(askKey("A key has only English letters, digits and punctuation."));
      sessionStorage.setItem("charbot-key", key);
      resolve();
    }, { once: true });
  });
}

// ---- Choosing somebody

function tint(element, colour) {
  element.classList.add("tinted");
  element.style.setProperty("--on-light", colour.light);
  element.style.setProperty("--on-dark", colour.dark);
  return element;
}

function initial(name) {
  return [...name.replace(/^(Mr|Mrs|Ms|Dr)\. /, "")][0];
}

function face(persona) {
  const element = document.createElement("span");
  element.className = "face";
  element.ariaHidden = "true";
  element.textContent = initial(persona.name);
  return tint(element, persona.colour);
}

function personButton(persona) {
  const button = tint(clone("person"), persona.colour);
  button.querySelector(".face").textContent = initial(persona.name);
  button.querySelector(".name").textContent = persona.name;
  if (persona.mature) button.querySelector(".name").append(Object.assign(document.createElement("small"), { textContent: "mature" }));
  return button;
}

function showPicker() {
  stop();
  cast = [];
  turns = [];
  document.title = "charbot";
  $("chat").hidden = true;
  $("picker").hidden = false;
  listShows();
}

function listShows() {
  const prefix = document.querySelector(".search input").value.trim().toLowerCase();
  const matches = models.filter((persona) => ` ${persona.name} ${persona.show}`.toLowerCase().includes(` ${prefix}`));
  $("shows").replaceChildren(...[...Map.groupBy(matches, (persona) => persona.show)].map(([show, people]) => {
    const section = document.createElement("section");
    const heading = tint(Object.assign(document.createElement("h2"), { textContent: show }), people[0].show_colour);
    const list = Object.assign(document.createElement("div"), { className: "people" });
    list.append(...people.map((persona) => {
      const button = personButton(persona);
      button.addEventListener("click", () => { location.hash = persona.id; });
      return button;
    }));
    section.append(heading, list);
    return section;
  }));
  $("nobody").textContent = models.length && !matches.length ? "Nobody of that name." : "";
}

// ---- The conversation

function showChat(personas) {
  const same = personas[0] === cast[0] && cast.length;
  cast = personas;
  if (!same) restart();
  tint($("chat"), cast[0].colour);
  const names = cast.map((persona) => persona.name).join(" and ");
  const shows = [...new Set(cast.map((persona) => persona.show))].join(", ");
  document.title = `${names} \u2013 charbot`;
  const faces = Object.assign(document.createElement("div"), { className: "faces" });
  faces.append(...cast.map(face));
  const title = Object.assign(document.createElement("h1"), { className: "title", textContent: names });
  title.append(Object.assign(document.createElement("small"), { textContent: shows }));
  $("cast").replaceChildren(faces, title);
  $("opening").querySelector(".faces")?.remove();
  $("opening").prepend(faces.cloneNode(true));
  $("opening").querySelector("h2").textContent = cast.length > 1 ? `${names} are in a room\u2026` : `Say something to ${names}`;
  $("opening").querySelector("p").textContent = cast.length > 1 ? "Join in, or let them talk to each other." : shows;
  $("starters").replaceChildren(...STARTERS.slice(0, 3).map((text) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.addEventListener("click", () => say(text));
    return button;
  }));
  $("log").ariaLabel = `Conversation with ${names}`;
  $("invite").hidden = cast.length >= CAST || models.length < 2;
  $("scene").hidden = cast.length < 2;
  $("picker").hidden = true;
  $("chat").hidden = false;
  refresh();
  $("message").focus();
}

function restart() {
  stop();
  turns = [];
  $("log").replaceChildren();
  $("tools").replaceChildren();
  $("problem").textContent = "";
  refresh();
}

function nextSpeaker() {
  const last = turns.findLast((turn) => turn.speaker !== null)?.speaker;
  return cast[(cast.findIndex((persona) => persona.name === last) + 1) % cast.length];
}

// Show what can be done now.
function refresh() {
  if (!cast.length) return;
  const next = nextSpeaker().name;
  $("opening").hidden = turns.length > 0 || request !== null;
  $("send").disabled = request !== null || !$("message").value.trim();
  $("restart").disabled = !turns.length && !request;
  $("next").textContent = `Let ${next} speak`;
  $("next").disabled = request !== null || sceneRun !== null;
  // A message that was not answered: the reply failed, or was stopped.
  $("retry").hidden = request !== null || cast.length > 1 || turns.at(-1)?.speaker !== null;
  $("play").textContent = sceneRun ? "Stop" : "Let them talk";
  $("message").placeholder = cast.length > 1 ? "Join in, or just press Enter" : `Message ${next}`;
  document.querySelectorAll(".tools button").forEach((button) => { button.disabled = request !== null || sceneRun !== null; });
}

function scrollDown() {
  $("scroll").scrollTop = $("scroll").scrollHeight;
}

function addTurn(turn) {
  const before = turns.at(-1);
  turns.push(turn);
  const item = clone("turn");
  const persona = models.find((model) => model.name === turn.speaker);
  if (persona) tint(item, persona.colour);
  item.classList.toggle("mine", !persona);
  item.classList.toggle("changes", before?.speaker !== turn.speaker);
  item.querySelector(".face").textContent = persona ? initial(persona.name) : "";
  item.querySelector(".name").textContent = persona ? persona.name : "You";
  fill(item.querySelector("p"), turn.text, persona !== undefined);
  item.querySelector(".name").classList.toggle("hidden", !persona);
  $("log").append(item);
  $("tools").replaceChildren(...(persona ? [tools(item, turn)] : []));
  scrollDown();
}

// Show a text, as words that appear one after the other if it is fresh. All of it is there at once for screen readers.
function fill(paragraph, text, fresh) {
  paragraph.classList.toggle("fresh", fresh);
  paragraph.replaceChildren(...text.split(/(?<=\s)(?=\S)/).map((word, index) => {
    const span = Object.assign(document.createElement("span"), { textContent: word });
    span.style.setProperty("--word", index);
    return span;
  }));
}

function say(text) {
  if (request) return;
  sceneRun = null;
  $("message").value = "";
  if (text.trim()) addTurn({ speaker: null, text: text.trim() });
  reply(nextSpeaker());
}

function messagesFor(persona) {
  const messages = turns.slice(-READ_TURNS).map(({ speaker, text }) =>
    speaker === persona.name ? { role: "assistant", content: text } : { role: "user", content: text, ...(speaker && { name: speaker }) });
  // Who speaks first in a scene answers a greeting.
  return messages.length ? messages : [{ role: "user", content: "Hey!" }];
}

// Have a persona reply, and return whether it did. `shownTexts` are replies that it shall not give again.
async function reply(persona, shownTexts = []) {
  const controller = request = new AbortController();
  $("problem").textContent = "";
  $("status").textContent = `${persona.name} is typing`;
  $("typing").hidden = false;
  tint($("typing"), persona.colour).querySelector(".face").textContent = initial(persona.name);
  refresh();
  scrollDown();
  try {
    const body = { model: persona.id, messages: messagesFor(persona), candidates: true };
    const [choice] = (await call("v1/chat/completions", body, controller.signal)).choices;
    const other = choice.candidates.find((candidate) => !shownTexts.includes(candidate.text));
    const text = shownTexts.includes(choice.message.content) && other ? other.text : choice.message.content;
    hideTyping(controller);
    addTurn({ speaker: persona.name, text, candidates: choice.candidates, shownTexts: [...shownTexts, text] });
    return true;
  } catch (error) {
    hideTyping(controller);
    if (error.name !== "AbortError") {
      $("problem").textContent = error.message;
      sceneRun = null;
      scrollDown();
    }
    return false;
  } finally {
    refresh();
  }
}

function hideTyping(controller) {
  if (request !== controller) return;
  request = null;
  $("typing").hidden = true;
  $("status").textContent = "";
}

function stop() {
  sceneRun = null;
  request?.abort();
  if (request) hideTyping(request);
  refresh();
}

async function play() {
  const run = sceneRun = {};
  refresh();
  for (let line = 0; sceneRun === run && line < SCENE_LINES; line++) {
    if (!(await reply(nextSpeaker()))) break;
    if (line < SCENE_LINES - 1) await new Promise((resolve) => setTimeout(resolve, SCENE_PAUSE));
  }
  if (sceneRun === run) sceneRun = null;
  refresh();
}

// ---- The last reply: another one, and why this one

function tools(item, turn) {
  const group = clone("reply-tools");
  const [another, why] = group.querySelectorAll("button");
  tint(group, models.find((persona) => persona.name === turn.speaker).colour);
  another.addEventListener("click", async () => {
    const persona = models.find((model) => model.name === turn.speaker);
    turns.pop();
    item.hidden = group.hidden = true;
    if (await reply(persona, turn.shownTexts)) {
      item.remove();
      $("tools").querySelector(".another").focus();
    } else if (!$("chat").hidden && cast.length && item.isConnected) {
      turns.push(turn);
      item.hidden = group.hidden = false;
      another.focus();
    }
    refresh();
  });
  why.addEventListener("click", () => {
    const list = group.querySelector(".candidates");
    why.ariaExpanded = String(!list);
    if (list) return list.remove();
    group.append(candidateList(item, turn));
    scrollDown();
  });
  return group;
}

function candidateList(item, turn) {
  const list = Object.assign(document.createElement("ol"), { className: "candidates", ariaLabel: "Candidates: the reply, then the others, best first" });
  const scores = turn.candidates.map((candidate) => candidate.score);
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  list.append(...turn.candidates.map((candidate) => {
    const row = clone("candidate");
    const button = row.querySelector("button");
    button.querySelector(".text").textContent = candidate.text;
    // The lowest one has a short bar: an empty one would look as if nothing had been measured.
    const share = high > low ? 10 + 90 * (candidate.score - low) / (high - low) : 100;
    button.querySelector(".score").style.setProperty("--share", `${share}%`);
    const origin = candidate.familiarity > 0 ? "written for a message like yours" : "made up just now";
    const figures = [["relevance", candidate.relevance], ["topic", candidate.topic], ["repeats", candidate.repetition]];
    const features = figures.map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ");
    button.querySelector("small").textContent = `score ${candidate.score.toFixed(2)}: ${origin}, ${features}`;
    if (candidate.text === turn.text) button.ariaCurrent = "true";
    button.addEventListener("click", () => {
      turn.text = candidate.text;
      turn.shownTexts.push(candidate.text);
      fill(item.querySelector("p"), candidate.text, true);
      list.querySelector("[aria-current]")?.removeAttribute("aria-current");
      button.ariaCurrent = "true";
      $("status").textContent = `Now it says: ${candidate.text}`;
    });
    return row;
  }));
  return list;
}

// ---- Dark and light

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const icon = dark
    ? '<circle cx="12" cy="12" r="4.5"/><path d="M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M19 5l-1.4 1.4M6.4 17.6L5 19"/>'
    : '<path d="M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z"/>';
  document.querySelectorAll(".theme").forEach((button) => {
    button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${icon}</svg>`;
    button.ariaLabel = dark ? "Light colours" : "Dark colours";
    button.onclick = () => {
      localStorage.setItem("charbot-theme", dark ? "light" : "dark");
      setTheme(dark ? "light" : "dark");
    };
  });
}

// ---- Beginning

// The address has who takes part, so that the browser's back button works: #chandler, or #chandler+joey.
function route() {
  const ids = decodeURIComponent(location.hash.slice(1)).split("+");
  const personas = ids.map((id) => models.find((persona) => persona.id === id)).filter(Boolean).slice(0, CAST);
  if (personas.length) showChat(personas);
  else showPicker();
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("message").value;
  if (text.trim() || cast.length > 1) say(text);
});
$("message").addEventListener("input", refresh);
$("message").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !document.querySelector("dialog[open]")) stop(); });
document.querySelector(".search input").addEventListener("input", listShows);
document.querySelector(".search input").addEventListener("keydown", (event) => {
  if (event.key === "Enter") document.querySelector(".person")?.click();
});
$("restart").addEventListener("click", () => { restart(); $("message").focus(); });
$("retry").addEventListener("click", () => { $("message").focus(); reply(nextSpeaker()); });
$("next").addEventListener("click", () => reply(nextSpeaker()));
$("play").addEventListener("click", () => sceneRun ? stop() : play());
$("invite").addEventListener("click", () => {
  const others = models.filter((persona) => !cast.includes(persona));
  others.sort((a, b) => (b.show === cast[0].show) - (a.show === cast[0].show));
  $("guests").querySelector(".people").replaceChildren(...others.map((persona) => {
    const button = personButton(persona);
    button.type = "submit";
    button.value = persona.id;
    return button;
  }));
  $("guests").returnValue = "";
  $("guests").showModal();
});
$("guests").addEventListener("close", () => {
  if ($("guests").returnValue) location.hash = `${cast[0].id}+${$("guests").returnValue}`;
});
addEventListener("hashchange", route);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(localStorage.getItem("charbot-theme")));
setTheme(localStorage.getItem("charbot-theme"));

try {
  const allModels = (await call("v1/models")).data;
  models = allModels.filter((model) => allModels.find((other) => other.name === model.name) === model);
  if (!models.length) $("nobody").textContent = "This server has no personas to offer.";
  route();
} catch (error) {
  $("picker").hidden = false;
  $("nobody").textContent = error.message;
}
