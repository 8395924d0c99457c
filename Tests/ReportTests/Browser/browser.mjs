// A headless Chromium, driven through its DevTools protocol: no package is needed but node's own WebSocket (node 22, or
// node 20 with --experimental-websocket).
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Browser {
  static async start(program) {
    const browser = new Browser();
    browser.profile = mkdtempSync(join(tmpdir(), "drbench-browser-"));
    browser.process = spawn(program, [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
      "--disable-background-networking", `--user-data-dir=${browser.profile}`, "--remote-debugging-port=0", "about:blank",
    ], { stdio: ["ignore", "ignore", "pipe"] });
    const address = await new Promise((resolve, reject) => {
      let text = "";
      browser.process.stderr.on("data", (data) => {
        text += data;
        const found = text.match(/DevTools listening on (ws:\S+)/);
        if (found) resolve(found[1]);
      });
      browser.process.on("exit", () => reject(new Error(`the browser ended: ${text.slice(-500)}`)));
    });
    browser.answers = new Map();
    browser.listeners = new Set();
    browser.number = 0;
    browser.socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      browser.socket.addEventListener("open", resolve);
      browser.socket.addEventListener("error", () => reject(new Error("no connection to the browser")));
    });
    browser.socket.addEventListener("message", (event) => browser.receive(JSON.parse(event.data)));
    return browser;
  }

  receive(message) {
    if (message.id === undefined) {
      for (const listener of this.listeners) listener(message);
      return;
    }
    const { resolve, reject } = this.answers.get(message.id);
    this.answers.delete(message.id);
    if (message.error) reject(new Error(message.error.message));
    else resolve(message.result);
  }

  send(method, params = {}, sessionId = undefined) {
    this.number += 1;
    const id = this.number;
    return new Promise((resolve, reject) => {
      this.answers.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  async close() {
    const ended = new Promise((resolve) => this.process.on("exit", resolve));
    await this.send("Browser.close").catch(() => {});
    await ended;
    rmSync(this.profile, { recursive: true, force: true });
  }
}

/// A page in a tab of its own, with everything that it complained about or asked the network for.
export class Page {
  static async open(browser, url, { width = 1200, height = 900, dark = false, mobile = false } = {}) {
    const page = new Page();
    page.browser = browser;
    page.complaints = [];
    page.requests = [];
    const { targetId } = await browser.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
    page.session = sessionId;
    page.target = targetId;
    const loaded = new Promise((resolve) => {
      page.listener = (message) => {
        if (message.sessionId !== sessionId) return;
        const { method, params } = message;
        if (method === "Page.loadEventFired") resolve();
        if (method === "Runtime.exceptionThrown") page.complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
        if (method === "Runtime.consoleAPICalled") page.complaints.push(params.args.map((arg) => arg.value).join(" "));
        if (method === "Log.entryAdded") page.complaints.push(params.entry.text);
        if (method === "Network.requestWillBeSent" && !/^(data|about):/.test(params.request.url)) page.requests.push(params.request.url);
      };
      browser.listeners.add(page.listener);
    });
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
    await page.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });
    await page.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" },
        { name: "prefers-reduced-motion", value: "reduce" }],
    });
    const start = performance.now();
    await page.send("Page.navigate", { url });
    await loaded;
    page.milliseconds = performance.now() - start;
    return page;
  }

  send(method, params = {}) { return this.browser.send(method, params, this.session); }

  /// The value of an expression in the page.
  async value(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  async key(key) {
    for (const type of ["keyDown", "keyUp"]) {
      await this.send("Input.dispatchKeyEvent", { type, key, code: key, windowsVirtualKeyCode: { ArrowLeft: 37, ArrowRight: 39 }[key] });
    }
  }

  async picture(path, whole = true) {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: whole });
    writeFileSync(path, Buffer.from(data, "base64"));
  }

  async close() {
    this.browser.listeners.delete(this.listener);
    await this.browser.send("Target.closeTarget", { targetId: this.target });
  }
}
