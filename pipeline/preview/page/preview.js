"use strict";
// The page of --preview. The server sends events: now (how far it is), picture, content and styles
// (JPEG in base64), curve (losses), frames (of a film) and end. What is changed here is posted.

const $ = (id) => document.getElementById(id);
const names = ["content", "style", "tv"];

let now = null; // the latest event of that name
let ended = "";
let painted = null, content = null; // ImageBitmap
let curve = [];
let cuts = new Set();

async function bitmap(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
}

function draw(canvas, picture) {
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
}

// The picture, and the photo before it.

function compare() {
  if (!painted) return;
  const canvas = $("painted");
  // Coarse scales are as large on the page as fine ones.
  const w = Math.max(painted.width, content ? content.width : 0), h = Math.round(w * painted.height / painted.width);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const at = $("split").value / 100, pen = canvas.getContext("2d");
  pen.drawImage(painted, 0, 0, w, h);
  if (content && at > 0) {
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, w * at, h);
    pen.clip();
    pen.drawImage(content, 0, 0, w, h);
    pen.restore();
  }
  const shown = fitted(canvas);
  $("divider").style.left = `${shown.left + at * shown.width}px`;
}

// fitted returns where the picture is in a canvas that is wider than it.
function fitted(canvas) {
  const width = Math.min(canvas.clientWidth, canvas.clientHeight * canvas.width / canvas.height);
  return { left: (canvas.clientWidth - width) / 2, width };
}

function drag(e) {
  if (e.type === "pointermove" && !(e.buttons & 1)) return;
  const canvas = $("painted"), shown = fitted(canvas);
  const x = e.clientX - canvas.getBoundingClientRect().left - shown.left;
  $("split").value = Math.round(100 * Math.min(1, Math.max(0, x / shown.width)));
  compare();
}

// Losses.

const number = (v) => v === 0 ? "0" : v >= 1000 || v < 0.001 ? v.toExponential(2) : v.toPrecision(3);

// pen returns a canvas's context in CSS pixels, cleared.
function pen(canvas) {
  const k = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
  canvas.width = Math.round(w * k);
  canvas.height = Math.round(h * k);
  const c = canvas.getContext("2d");
  c.scale(k, k);
  return { c, w, h };
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function drawCurve() {
  const { c, w, h } = pen($("curve"));
  if (curve.length === 0 || w === 0) return;
  const kinds = [["t", "--total", []], ["s", "--style", [6, 4]], ["c", "--content", [2, 3]]];
  const logs = curve.flatMap((p) => kinds.map(([k]) => p[k])).filter((v) => v > 0).map(Math.log10);
  const top = Math.max(...logs), bottom = Math.min(...logs, top - 0.3);
  const last = Math.max(1, curve[curve.length - 1].n);
  const x = (n) => n / last * (w - 2) + 1;
  const y = (v) => 6 + (top - Math.log10(v)) / (top - bottom) * (h - 12);
  // A line where a scale or a frame begins.
  c.strokeStyle = colour("--line");
  c.fillStyle = colour("--faint");
  c.font = "11px system-ui, sans-serif";
  c.beginPath();
  let free = 0;
  curve.forEach((p, i) => {
    const before = curve[i - 1];
    if (!before || p.k === before.k && p.f === before.f) return;
    c.moveTo(x(p.n), 0);
    c.lineTo(x(p.n), h);
    if (x(p.n) > free && now && (now.photo || before.f !== p.f)) {
      const text = now.photo ? `scale ${p.k}` : `${p.f + 1}`;
      c.fillText(text, x(p.n) + 4, 10);
      free = x(p.n) + c.measureText(text).width + 12;
    }
  });
  c.stroke();
  c.lineWidth = 1.75;
  for (const [key, name, dash] of kinds) {
    c.strokeStyle = colour(name);
    c.setLineDash(dash);
    c.beginPath();
    let pen = false;
    for (const p of curve) {
      if (p[key] <= 0) { pen = false; continue; }
      if (pen) c.lineTo(x(p.n), y(p[key]));
      else c.moveTo(x(p.n), y(p[key]));
      pen = true;
    }
    c.stroke();
  }
  const p = curve[curve.length - 1];
  $("loss-total").textContent = number(p.t);
  $("loss-style").textContent = number(p.s);
  $("loss-content").textContent = number(p.c);
  $("curve").setAttribute("aria-label", `Losses by step. Now total ${number(p.t)}, style ${number(p.s)}, content ${number(p.c)}; at first total ${number(curve[0].t)}`);
}

// The film.

function drawTrack() {
  if (!now || now.photo) return;
  const { c, w, h } = pen($("track"));
  const all = now.frames || Math.max(now.done, now.frame + 1);
  const x = (frame) => frame / all * w;
  c.fillStyle = colour("--line");
  c.fillRect(0, h / 3, w, h / 3);
  c.fillStyle = colour("--accent");
  c.fillRect(0, h / 3, x(now.done), h / 3);
  c.fillStyle = colour("--style");
  for (const cut of cuts) c.fillRect(x(cut) - 1, 0, 2, h);
  c.fillStyle = colour("--text");
  c.fillRect(x(now.frame + 0.5) - 1, h / 6, 2, h * 2 / 3);
  $("track").setAttribute("aria-label", `${now.done} ${now.frames ? `of ${now.frames} ` : ""}frames are done, in ${cuts.size} scenes`);
}

async function showFrames(e) {
  cuts = new Set(e.cuts || []);
  const items = await Promise.all((e.frames || []).map(async (f) => {
    const item = document.createElement("li"), canvas = document.createElement("canvas");
    item.classList.toggle("cut", cuts.has(f.index) && f.index > 0);
    draw(canvas, await bitmap(f.jpeg));
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Frame ${f.index + 1}${cuts.has(f.index) ? ", a scene begins" : ""}`);
    item.append(canvas, String(f.index + 1));
    return item;
  }));
  const strip = $("strip"), atEnd = strip.scrollLeft + strip.clientWidth > strip.scrollWidth - 40;
  if (e.anew) strip.replaceChildren(...items);
  else strip.append(...items);
  if (atEnd) strip.scrollLeft = strip.scrollWidth;
  drawTrack();
}

// How far it is.

function duration(s) {
  if (s < 60) return `${Math.max(1, Math.round(s))} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${Math.round(s % 3600 / 60)} min`;
}

function where() {
  const parts = [];
  if (!now.photo) parts.push(`frame ${now.frame + 1}${now.frames ? ` of ${now.frames}` : ""}`);
  if (now.passes) parts.push(`pass ${now.pass} of ${now.passes}`);
  if (now.scales) parts.push(`scale ${now.scale} of ${now.scales}, ${now.w}×${now.h}`, `step ${now.step} of ${now.steps}`);
  if (ended) parts.push(ended);
  else if (now.stopping) parts.push("stopping");
  else if (now.paused) parts.push("paused");
  else if (held()) parts.push("done: move a weight to paint on");
  else if (now.left >= 0) parts.push(`${duration(now.left)} left`);
  return parts.join(" · ");
}

const held = () => now.hold && now.steps > 0 && now.scale === now.scales && now.step === now.steps;

let spokenAt = 0, spokenState = "";
function speak() {
  const state = ended || `${now.input} ${now.paused} ${now.stopping} ${held()} ${now.photo ? now.scale : ""}`;
  if (state === spokenState && Date.now() - spokenAt < 20000) return;
  spokenState = state;
  spokenAt = Date.now();
  $("spoken").textContent = `${Math.round(now.share * 100)} percent: ${where()}`;
}

let touched = 0; // when a slider was last moved: what the server says is older then
function showNow() {
  $("input").textContent = now.input || "nstfilter";
  document.title = ended ? `${ended} · nstfilter` : `${Math.round(now.share * 100)} % · ${now.input}`;
  $("where").textContent = where();
  $("share").value = now.share;
  $("timeline").hidden = now.photo || !now.input;
  const over = ended !== "" || now.stopping, fixed = over || now.why !== "";
  for (const name of names) {
    const slider = $(`by-${name}`);
    slider.disabled = fixed;
    if (Date.now() - touched > 1500) slider.value = Math.log2(Math.max(now.factors[name], 1 / 16));
    showWeight(name);
  }
  $("reset").disabled = fixed || names.every((name) => now.factors[name] === 1);
  $("why").textContent = now.why;
  $("pause").textContent = now.paused ? "Resume" : "Pause";
  $("pause").disabled = over;
  $("next").disabled = fixed || held();
  $("stop").disabled = over;
  for (const field of document.querySelectorAll("#preset input, #preset button")) field.disabled = ended !== "";
  speak();
  drawTrack();
}

function factorOf(name) {
  return Number((2 ** $(`by-${name}`).value).toPrecision(3));
}

function showWeight(name) {
  const by = factorOf(name), is = by === now.factors[name] ? now.weights[name] : "…";
  $(`is-${name}`).textContent = by === 1 ? is : `${is} (× ${by})`;
  $(`by-${name}`).setAttribute("aria-valuetext", `times ${by}`);
}

// What is changed here.

async function post(path, body) {
  try {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const text = await answer.text();
    $("message").textContent = answer.ok ? "" : text;
    return answer.ok ? text : null;
  } catch (error) {
    $("message").textContent = "nstfilter does not answer.";
    return null;
  }
}

let sending = false, waiting = false;
async function sendFactors() {
  touched = Date.now();
  names.forEach(showWeight);
  waiting = true;
  if (sending) return;
  sending = true;
  while (waiting) {
    waiting = false;
    await post("control", { factors: Object.fromEntries(names.map((name) => [name, factorOf(name)])) });
    await new Promise((done) => setTimeout(done, 200)); // a slider that is moved would restart every step
  }
  sending = false;
}

for (const name of names) $(`by-${name}`).addEventListener("input", sendFactors);
$("reset").addEventListener("click", () => {
  for (const name of names) $(`by-${name}`).value = 0;
  sendFactors();
});
$("pause").addEventListener("click", () => post("control", { do: now && now.paused ? "resume" : "pause" }));
$("next").addEventListener("click", () => post("control", { do: "next" }));
$("stop").addEventListener("click", () => post("control", { do: "stop" }));
$("preset").addEventListener("submit", async (e) => {
  e.preventDefault();
  const saved = await post("preset", { name: $("name").value, replace: $("replace").checked });
  if (saved) $("message").textContent = `Saved: --preset ${JSON.parse(saved).name} takes it up.`;
});
$("split").addEventListener("input", compare);
$("compare").addEventListener("pointerdown", drag);
$("compare").addEventListener("pointermove", drag);
addEventListener("resize", () => { compare(); drawCurve(); drawTrack(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { drawCurve(); drawTrack(); });

// The events come one after the other, and a picture takes a moment to decode.

const handlers = {
  styles: async (all) => {
    const figures = await Promise.all(all.map(async (jpeg, i) => {
      const figure = document.createElement("figure"), canvas = document.createElement("canvas"), caption = document.createElement("figcaption");
      draw(canvas, await bitmap(jpeg));
      canvas.setAttribute("role", "img");
      caption.textContent = all.length > 1 ? `Style ${i + 1}` : "Style";
      canvas.setAttribute("aria-label", caption.textContent);
      figure.append(canvas, caption);
      return figure;
    }));
    $("styles").replaceChildren(...figures);
  },
  content: async (jpeg) => {
    content = await bitmap(jpeg);
    draw($("content"), content);
    compare();
  },
  picture: async (jpeg) => {
    painted = await bitmap(jpeg);
    compare();
    document.body.dataset.pictures = Number(document.body.dataset.pictures || 0) + 1;
  },
  curve: (e) => {
    curve = e.anew ? e.points || [] : curve.concat(e.points || []);
    drawCurve();
  },
  frames: showFrames,
  now: (e) => {
    now = e;
    showNow();
  },
  end: (text) => {
    ended = text;
    source.close();
    showNow();
  },
};

let source = null, queue = Promise.resolve();
function connect() {
  if (ended || document.hidden || source && source.readyState !== EventSource.CLOSED) return;
  source = new EventSource("events");
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (e) => {
      queue = queue.then(() => handle(JSON.parse(e.data))).catch((error) => console.error(error));
    });
  }
  source.onerror = () => {
    if (!ended) $("where").textContent = "nstfilter does not answer: it may have ended";
  };
}

// Pictures are made only while somebody looks.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) connect();
  else if (source) source.close();
});
connect();
