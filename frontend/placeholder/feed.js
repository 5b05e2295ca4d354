// This file asks the sidecar for the home feed and shows the answer, as text and never as markup.

const FEED = "/api/activities/home";

const status = document.querySelector("#status");
const feed = document.querySelector("#feed");
const form = document.querySelector("#sign-in");
const token = document.querySelector("#token");

const { sidecarUrl } = await (await fetch("/config.json")).json();
document.querySelector("#sidecar").textContent = sidecarUrl;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(token.value.trim());
});
form.addEventListener("reset", () => ask(""));
await ask("");

async function ask(accessToken) {
  const headers = accessToken ? { Authorization: `Bearer ${accessToken}` } : {};
  try {
    await show(await fetch(sidecarUrl + FEED, { headers }));
  } catch {
    feed.replaceChildren();
    status.textContent = `No answer from ${sidecarUrl}.`;
  }
}

async function show(response) {
  // A field a script may read only if the server lists it in Access-Control-Expose-Headers.
  const verdict = response.headers.get("X-Cognito-Auth");
  status.textContent = `HTTP ${response.status}${verdict ? `, X-Cognito-Auth: ${verdict}` : ""}`;
  const body = await response.json();
  feed.replaceChildren(...(Array.isArray(body) ? body.map(entryFor) : []));
}

function entryFor({ handle, message, created_at: createdAt }) {
  const author = element("p", "author");
  const time = element("time", "", new Date(createdAt).toLocaleString());
  time.dateTime = createdAt;
  author.append(element("span", "", handle), time);
  const entry = element("li");
  entry.append(author, element("p", "", message));
  return entry;
}

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
