"use strict";

const base = location.pathname.replace(/\/docs\/?$/, "");
const connectors = JSON.parse(byId("listing").textContent);
const SHOWN = 200_000; // characters of a body: more makes the page slow

for (const [connector, { about, has_accounts: hasAccounts, actions }] of Object.entries(connectors)) {
  const items = Object.entries(actions);
  const link = el("a", { href: `#${connector}` }, connector, el("small", {}, String(items.length)));
  byId("connectors").append(link);
  byId("actions").append(
    el("section", {},
      el("h2", { id: connector }, connector),
      el("p", {}, about),
      hasAccounts ? el("p", { className: "hint" }, "Acts with an account that the user has linked: ",
        el("code", {}, `GET ${base}/connectors/${connector}/auth-schema`), " says how.") : "",
      ...items.map(([name, item]) => actionView(connector, name, item))),
  );
}
byId("filter").addEventListener("input", filter);
byId("who").addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("hashchange", openLinked);
filter();
openLinked();

function byId(id) {
  return document.getElementById(id);
}

function el(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function openLinked() {
  const linked = byId(decodeURIComponent(location.hash.slice(1)));
  if (linked instanceof HTMLDetailsElement) linked.open = true;
  linked?.scrollIntoView();
}

function filter() {
  const words = byId("filter").value.toLowerCase().split(/\s+/);
  const all = [...document.querySelectorAll("details.action")];
  for (const action of all) action.hidden = !words.every((word) => action.dataset.text.includes(word));
  for (const section of document.querySelectorAll("section")) {
    section.hidden = !section.querySelector("details.action:not([hidden])");
  }
  const shown = all.filter((action) => !action.hidden).length;
  byId("count").textContent = shown === all.length ? `${shown} actions` : `${shown} of ${all.length}`;
}

function actionView(connector, name, item) {
  const effect = item["x-bosa-effect"];
  const summary = el("summary", {},
    el("span", { className: "name" }, name),
    el("span", { className: "first" }, item.docstring.split("\n")[0]),
    el("span", { className: `effect ${effect}` }, effect));
  const view = el("details", { className: "action", id: `${connector}.${name}` }, summary);
  view.dataset.text = `${connector} ${name} ${effect} ${item.docstring}`.toLowerCase();
  // forms are made when they are first looked at: there may be hundreds
  view.addEventListener("toggle", () => view.append(bodyView(item)), { once: true });
  return view;
}

function bodyView(item) {
  return el("div", { className: "body" },
    el("p", {}, item.docstring),
    el("p", {}, el("code", {}, `${item.method} ${base}${item.path}`)),
    formView(item),
    schemaView("Schema of the request", item.request_body),
    schemaView("Schema of the reply", item.response));
}

function schemaView(title, schema) {
  return schema
    ? el("details", {}, el("summary", {}, title), el("pre", { tabIndex: 0 }, JSON.stringify(schema, null, 2)))
    : "";
}

function formView(item) {
  const schema = item.request_body ?? {};
  const fields = Object.entries(schema.properties ?? {}).map(([name, property]) =>
    fieldView(name, alone(property, schema.$defs ?? {}), (schema.required ?? []).includes(name)));
  const button = el("button", {}, "Run");
  const answer = el("div", {});
  answer.setAttribute("role", "status");
  const form = el("form", { autocomplete: "off" }, ...fields.map((field) => field.view), button, answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    answer.replaceChildren("…");
    const shown = await run(item.path, fields).catch((error) => [bad(String(error.message ?? error))]);
    answer.replaceChildren(...shown);
    button.disabled = false;
  });
  return form;
}

/** The property without its `| null`, and without its `$ref`. */
function alone(property, definitions) {
  const ways = (property.anyOf ?? []).filter((way) => way.type !== "null");
  const way = ways.length === 1 ? ways[0] : property;
  const found = way.$ref ? definitions[way.$ref.replace("#/$defs/", "")] : way;
  return { ...found, description: property.description ?? found.description };
}

/** The label with its control, and what the control says: undefined where it is left empty. */
function fieldView(name, schema, required) {
  const [control, kind, read] = controlFor(schema, required);
  const about = schema.description ? [el("span", { className: "about" }, schema.description)] : [];
  const note = el("span", { className: "kind" }, required ? kind : `${kind}, optional`);
  return { name, read, isFile: control.type === "file", view: el("label", {}, name, note, ...about, control) };
}

function controlFor(schema, required) {
  const items = schema.items ?? {};
  if (schema.format === "binary") return fileControl(required, false);
  if (items.format === "binary") return fileControl(required, true);
  if (schema.enum ?? schema.const) return selectControl(schema.enum ?? [schema.const], "choice", required);
  if (schema.type === "boolean") return selectControl([true, false], "boolean", required);
  if (schema.type === "integer" || schema.type === "number") return numberControl(schema, required);
  if (schema.type === "string") return textControl(schema, required);
  if (schema.type === "array" && items.type === "string" && !items.enum) return linesControl();
  return jsonControl(schema, required);
}

function fileControl(required, multiple) {
  const control = el("input", { type: "file", required, multiple });
  const read = () => (multiple ? [...control.files] : control.files[0]);
  return [control, multiple ? "files" : "file", read];
}

function selectControl(values, kind, required) {
  const options = values.map((value, index) => el("option", { value: String(index) }, String(value)));
  const control = el("select", { required }, el("option", { value: "" }, "–"), ...options);
  return [control, kind, () => values[control.value]];
}

function numberControl(schema, required) {
  const step = schema.type === "integer" ? "1" : "any";
  const control = el("input", { type: "number", required, step, min: schema.minimum ?? "", max: schema.maximum ?? "" });
  return [control, schema.type, () => (control.value === "" ? undefined : Number(control.value))];
}

function textControl(schema, required) {
  const isLine = schema.maxLength <= 300;
  const control = el(isLine ? "input" : "textarea", { required: required && schema.minLength > 0, spellcheck: false });
  if (!isLine) control.rows = 2;
  return [control, "text", () => (control.value === "" && !required ? undefined : control.value)];
}

function linesControl() {
  const control = el("textarea", { rows: 2, spellcheck: false });
  const lines = () => control.value.split("\n").filter((line) => line !== "");
  return [control, "one per line", () => (lines().length ? lines() : undefined)];
}

function jsonControl(schema, required) {
  const control = el("textarea", { rows: 2, required, spellcheck: false });
  control.addEventListener("input", () => control.setCustomValidity(""));
  const read = () => {
    try {
      return control.value.trim() === "" ? undefined : JSON.parse(control.value);
    } catch (error) {
      control.setCustomValidity(`This is not JSON: ${error.message}`);
      control.reportValidity();
      throw error;
    }
  };
  return [control, schema.type ? `${schema.type} as JSON` : "JSON", read];
}

async function run(path, fields) {
  const said = fields.map((field) => [field.name, field.read()]).filter(([, value]) => value !== undefined);
  const headers = new Headers();
  const credentials = { "X-API-Key": byId("key").value, "X-Integration": byId("account").value };
  for (const [name, value] of Object.entries(credentials)) if (value) headers.set(name, value.trim());
  if (byId("token").value) headers.set("Authorization", `Bearer ${byId("token").value.trim()}`);
  const body = fields.some((field) => field.isFile) ? formData(said) : JSON.stringify(Object.fromEntries(said));
  if (typeof body === "string") headers.set("Content-Type", "application/json");
  const started = performance.now();
  const reply = await fetch(base + path, {
    method: "POST", headers, body, credentials: "omit", redirect: "error", cache: "no-store",
  });
  const content = await reply.blob();
  const took = Math.round(performance.now() - started);
  const status = el("p", { className: `status ${reply.ok ? "good" : "bad"}` }, `${reply.status} · ${took} ms`);
  const id = el("p", { className: "hint" }, "Request ", el("code", {}, reply.headers.get("X-Request-ID") ?? "–"));
  return [status, id, await contentView(reply, content)];
}

function formData(said) {
  const form = new FormData();
  for (const [name, value] of said) {
    for (const each of [value].flat()) form.append(name, each instanceof File ? each : String(each));
  }
  return form;
}

async function contentView(reply, content) {
  const disposition = reply.headers.get("Content-Disposition");
  if (disposition) return fileView(disposition, content);
  const text = await content.text();
  return el("pre", { tabIndex: 0 }, text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : pretty(text));
}

function fileView(disposition, content) {
  const [, encoded] = /filename\*=UTF-8''([^;]+)/i.exec(disposition) ?? [];
  const [, plain] = /filename="([^"]*)"/.exec(disposition) ?? [];
  const download = encoded ? decodeURIComponent(encoded) : plain || "file";
  const link = el("a", { href: URL.createObjectURL(content), download }, download);
  return el("p", {}, "A file: ", link, ` (${content.size} bytes, ${content.type || "of any type"})`);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function bad(message) {
  return el("p", { className: "status bad" }, message);
}
