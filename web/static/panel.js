"use strict";
/* Keeps the glance fresh. Without this script the page reloads itself instead. */
const glance = document.getElementById("glance");
const noContact = document.getElementById("no-contact");
const EVERY_MS = 2000, GIVE_UP_MS = 8000;
let tag = "", heard = performance.now();

function show(isLost) {
  noContact.hidden = !isLost;
  glance.classList.toggle("out-of-contact", isLost);
}

async function look() {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), GIVE_UP_MS);
  try {
    const answer = await fetch(glance.dataset.src, {
      headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store", signal: patience.signal,
    });
    if (answer.status === 401) { location.assign(glance.dataset.login); return; }
    if (answer.ok) { glance.innerHTML = await answer.text(); tag = answer.headers.get("ETag") || ""; }
    if (answer.ok || answer.status === 304) { heard = performance.now(); }
  } catch { /* told below, once it has lasted */ } finally {
    clearTimeout(timer);
  }
  show(performance.now() - heard > GIVE_UP_MS);
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
