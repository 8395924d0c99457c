"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  // See PacketData.swift.
  data.ends = data.ends.map(([good, text, ...because]) => ({ good: good !== "", text, because }));
  data.packets = data.packets.map(([n, time, head, path, end, flow, step, rest]) => ({ n, path: data.paths[path], flow, step,
    time: (time / 1e6).toFixed(6), text: `${data.heads[head]} ${rest}`.trimEnd(), end: data.ends[end] }));
  const find = (id) => document.getElementById(id);
  const time = find("time");
  const way = find("way");
  if (!time || !way || !data.packets.length) return;
  const which = find("which");
  const others = find("arp");
  const svg = way.ownerSVGElement;
  const line = way.querySelector(".line");
  line.setAttribute("pathLength", "1");

  // Positions in data.packets that the chosen filter leaves, and the place among them.
  let chosen = [];
  let place = 0;

  const element = (name, className, ...content) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...content);
    return made;
  };

  const select = () => {
    const at = chosen.length ? data.packets[chosen[place]].n : data.packets[Number(time.value)].n;
    chosen = [];
    data.packets.forEach((packet, index) => {
      const fits = which.value === "all" ? others.checked || packet.flow >= 0 || !packet.end.good
        : which.value === "dead" ? !packet.end.good : packet.flow === Number(which.value);
      if (fits) chosen.push(index);
    });
    // The packet that was shown, or the next one.
    const next = chosen.findIndex((index) => data.packets[index].n >= at);
    place = next < 0 ? Math.max(0, chosen.length - 1) : next;
    time.max = Math.max(0, chosen.length - 1);
    show();
  };

  const draw = (packet) => {
    const { end, path: [number, ...hops] } = packet;
    const drawn = data.ways[number];
    way.classList.remove("moves");
    way.classList.toggle("fails", !end.good);
    way.querySelector(".halo").setAttribute("d", drawn);
    line.setAttribute("d", drawn);
    line.setAttribute("marker-end", end.good ? "url(#arrow)" : "");
    way.querySelector(".cross").setAttribute("transform", end.good ? "translate(-50 -50)"
      : `translate(${drawn.split(/[ML]/).pop()})`);
    // On a narrow screen the line is brought into view. Reading its box makes the animation start again, too.
    const box = line.getBBox();
    const frame = svg.parentElement;
    frame.scrollLeft = box.x + box.width / 2 + svg.getBoundingClientRect().x - frame.getBoundingClientRect().x
      + frame.scrollLeft - frame.clientWidth / 2;
    way.classList.add("moves");
    // A hop begins with its direction and its port.
    const passed = new Set(hops.map((hop) => data.hops[hop].split(/ +/)[1]));
    for (const port of svg.querySelectorAll(".port")) port.classList.toggle("on", passed.has(port.dataset.port));
  };

  const describe = ({ n, end, step, time, text, path }) => {
    const when = step < 0 ? "before the first step" : `in step “${data.steps[step]}”`;
    const what = element("p", "what", element("strong", "", `#${n}`), " ", element("span", "num", time), " ",
      element("code", "", text), " ", element("span", "hint", when));
    const hops = element("ol", "hops");
    for (const hop of path.slice(1)) hops.append(element("li", "", element("code", "", data.hops[hop])));
    const parts = [what, element("p", end.good ? "good" : "killed", end.text)];
    for (const text of end.because) parts.push(element("p", "", element("code", "", text)));
    find("packet").replaceChildren(...parts, hops);
  };

  const rows = new Map([...document.querySelectorAll(".ladder tr[data-n]")].map((row) => [Number(row.dataset.n), row]));
  for (const packet of data.packets) {
    const button = rows.get(packet.n)?.querySelector(".pick");
    if (button) button.title = packet.text;
  }

  const mark = (packet) => {
    for (const row of document.querySelectorAll(".ladder tr.chosen")) row.classList.remove("chosen");
    const row = rows.get(packet.n);
    if (row) row.classList.add("chosen");
    for (const step of document.querySelectorAll(".step.now")) step.classList.remove("now");
    const step = find(`step-${packet.step}`);
    if (step) step.classList.add("now");
  };

  const show = () => {
    find("previous").disabled = place <= 0;
    find("next").disabled = place >= chosen.length - 1;
    if (!chosen.length) {
      find("place").value = "none";
      time.setAttribute("aria-valuetext", "no packet");
      find("packet").replaceChildren(element("p", "hint", "No packet fits."));
      way.querySelectorAll("path").forEach((path) => { if (path !== way.querySelector(".cross")) path.setAttribute("d", ""); });
      way.querySelector(".cross").setAttribute("transform", "translate(-50 -50)");
      return;
    }
    time.value = place;
    const packet = data.packets[chosen[place]];
    find("place").value = `${place + 1} of ${chosen.length}`;
    time.setAttribute("aria-valuetext", `#${packet.n} at ${packet.time}: ${packet.text}, ${packet.end.text}`);
    draw(packet);
    describe(packet);
    mark(packet);
  };

  const go = (to) => {
    const next = Math.min(Math.max(to, 0), chosen.length - 1);
    if (next === place || !chosen.length) return;
    place = next;
    show();
  };

  const pick = (number) => {
    const known = data.packets.findIndex((packet) => packet.n === number);
    if (known < 0) return;
    if (!chosen.includes(known)) {
      which.value = "all";
      others.checked = true;
      select();
    }
    place = chosen.indexOf(known);
    show();
    find("network").scrollIntoView({ block: "start" });
  };

  find("player").addEventListener("submit", (event) => event.preventDefault());
  time.addEventListener("input", () => { place = Number(time.value); show(); });
  find("previous").addEventListener("click", () => go(place - 1));
  find("next").addEventListener("click", () => go(place + 1));
  which.addEventListener("change", select);
  others.addEventListener("change", select);
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".pick");
    if (!button) return;
    const number = button.dataset.n || button.closest("tr").dataset.n;
    pick(Number(number));
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea, .scroll, pre")) return;
    if (event.key === "ArrowRight") go(place + 1);
    else if (event.key === "ArrowLeft") go(place - 1);
    else return;
    event.preventDefault();
  });
  // On paper nothing can be opened; what counted nothing stays shut.
  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details:not([open], .idle)")) { part.open = true; part.dataset.shut = ""; }
  });
  window.addEventListener("afterprint", () => {
    for (const part of document.querySelectorAll("details[data-shut]")) { part.open = false; delete part.dataset.shut; }
  });
  select();
})();
