// What a reader does with the pages: node --experimental-websocket pages.mjs CHROMIUM FOLDER. Says what does not hold.
import { readdirSync, existsSync } from "node:fs";
import { Browser, Page } from "./browser.mjs";

const [program, folder] = process.argv.slice(2);
let failures = 0;
const expect = (holds, text) => {
  if (holds) return;
  failures += 1;
  console.log(`does not hold: ${text}`);
};

const browser = await Browser.start(program);
const open = (path, options) => Page.open(browser, `file://${folder}/${path}`, options);

const quiet = async (page, path) => {
  expect(page.complaints.length === 0, `${path} opens without complaints: ${page.complaints}`);
  expect(page.requests.length === 1, `${path} asks for nothing but itself: ${page.requests}`);
  console.log(`${path}: open after ${page.milliseconds.toFixed(0)} ms`);
};

/// Words on the ground they stand on: WCAG's 4.5 to 1.
const contrast = `(() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((c) => c / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour.startsWith("rgb(")) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  let worst = { ratio: 21 };
  for (const element of document.querySelectorAll("p, dd, dt, h1, h2, h3, a, code, td, th, .badge, label, button, summary")) {
    if (element.disabled || !element.textContent.trim()) continue;
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst.ratio) worst = { ratio, text: element.className + ": " + element.textContent.slice(0, 40) };
  }
  return worst;
})()`;

const names = readdirSync(folder).filter((name) => existsSync(`${folder}/${name}/report.html`));
for (const name of names) {
  const path = `${name}/report.html`;
  for (const options of [{}, { dark: true }, { width: 390, height: 844, mobile: true }]) {
    const page = await open(path, options);
    await quiet(page, path);
    const over = await page.value("document.documentElement.scrollWidth - innerWidth");
    expect(over <= 0, `${path} is no wider than ${options.width ?? 1200}: ${over} more`);
    const { ratio, text } = await page.value(contrast);
    expect(ratio >= 4.5, `${path} ${JSON.stringify(options)} has contrast: ${ratio} at '${text}'`);
    const nameless = await page.value(`[...document.querySelectorAll("button, input, select")].filter((e) =>
      !e.textContent.trim() && !e.getAttribute("aria-label") && !(e.labels && e.labels.length)).length`);
    expect(nameless === 0, `${path}: every control has a name`);
    await page.close();
  }
  const page = await open(path);
  const shown = () => page.value("document.querySelector('#packet strong').textContent");
  const line = () => page.value("document.querySelector('#way .line').getAttribute('d')");
  const set = (id, value, event) => page.value(`(() => { const e = document.getElementById("${id}");
    e.value = ${JSON.stringify(value)}; e.dispatchEvent(new Event("${event}", { bubbles: true })); })()`);
  await set("time", "0", "input");
  expect(await shown() === "#1", `${path}: the slider's start is packet 1, not ${await shown()}`);
  const first = await line();
  await page.value("document.getElementById('next').click()");
  expect(await shown() === "#2", `${path}: the button shows packet 2`);
  await page.key("ArrowRight");
  expect(await shown() === "#3", `${path}: the arrow key shows packet 3, not ${await shown()}`);
  await page.key("ArrowLeft");
  await page.key("ArrowLeft");
  expect(await shown() === "#1" && await line() === first, `${path}: back at packet 1`);
  const count = () => page.value("Number(document.getElementById('time').max) + 1");
  const all = await count();
  await set("which", "0", "change");
  expect(await count() < all && await count() > 0, `${path}: a flow has fewer packets than all`);
  await set("which", "dead", "change");
  const dead = await page.value("document.querySelectorAll('#packet .good').length");
  expect(dead === 0, `${path}: only packets that did not arrive`);
  await page.value("document.querySelector('.ladder .pick').click()");
  const row = await page.value("document.querySelector('.ladder tr.chosen').dataset.n");
  expect(await shown() === `#${row}`, `${path}: a packet chosen in the ladder is shown`);
  await page.close();
}

const page = await open("index.html");
await quiet(page, "index.html");
const rows = () => page.value("[...document.querySelectorAll('.runs tbody tr')].filter((r) => r.offsetParent).length");
const type = (text) => page.value(`(() => { const e = document.getElementById("text"); e.value = ${JSON.stringify(text)};
  e.dispatchEvent(new Event("input", { bubbles: true })); })()`);
expect(await rows() === names.length, "the overview shows all runs");
await type(names[0]);
expect(await rows() === 1, "the overview's text filter leaves one run");
await type("nothing is called so");
expect(await rows() === 0 && await page.value("!document.getElementById('none').hidden"), "no run fits");
await type("");
await page.value("document.querySelector('[name=status]').click()");
expect(await rows() < names.length, "the overview's verdict filter hides runs");
await page.close();

await browser.close();
process.exit(failures ? 1 : 0);
