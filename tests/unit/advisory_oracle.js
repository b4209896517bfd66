// OSV's own evaluation (schema, section "Evaluation") over npm's own semver, against advisory_probe, for every package of the real records:
// each event's version, its neighbours, listed versions, and the two ends.
//
// usage: node advisory_oracle.js PROBE FOLDER-OF-RECORDS SEMVER-MODULE
"use strict";
const fs = require("fs");
const path = require("path");
const { spawnSync } = require("child_process");
const [probe, folder, module_path] = process.argv.slice(2);
const semver = require(module_path);

const parse = (text) => semver.parse(text, { loose: true });
const byPackage = new Map();
let unread = 0;

for (const file of fs.readdirSync(folder).filter((f) => f.endsWith(".json"))) {
	const record = JSON.parse(fs.readFileSync(path.join(folder, file), "utf8"));
	if (record.withdrawn) continue;
	for (const affected of record.affected || []) {
		if (!affected.package || affected.package.ecosystem !== "npm") continue;
		const list = byPackage.get(affected.package.name) || [];
		list.push({ id: record.id, affected });
		byPackage.set(affected.package.name, list);
	}
}

const rangesOf = (affected) => (affected.ranges || []).filter((r) => r.type === "SEMVER" || r.type === "ECOSYSTEM");
const eventsOf = (range) => range.events.flatMap((e) => Object.entries(e));

function inRange(range, version) {
	const events = eventsOf(range).filter(([, text]) => text === "0" || parse(text));
	const order = (text) => (text === "0" ? null : parse(text));
	const compare = (a, b) => (a === null ? (b === null ? 0 : -1) : b === null ? 1 : semver.compare(a, b));
	let vulnerable = false;

	events.sort((a, b) => compare(order(a[1]), order(b[1])));
	for (const [kind, text] of events) {
		const c = text === "0" ? 1 : semver.compare(version, order(text));
		if (kind === "introduced" && c >= 0) vulnerable = true;
		if (kind === "fixed" && c >= 0) vulnerable = false;
		if (kind === "last_affected" && c > 0) vulnerable = false;
	}
	return vulnerable;
}

function isAffected(affected, version) {
	const listed = (affected.versions || []).some((v) => parse(v) && semver.compare(v, version, { loose: true }) === 0);
	return listed || rangesOf(affected).some((r) => inRange(r, version));
}

const questions = [];
const expected = [];
for (const [name, list] of byPackage) {
	if (/\s/.test(name)) continue;
	// Ranges whose versions npm cannot read, and malware without a range, are a matter of this program's own rules.
	const odd = list.some(({ affected }) => (!(affected.versions || []).length && !rangesOf(affected).length) ||
		rangesOf(affected).some((r) => eventsOf(r).some(([, text]) => text !== "0" && !parse(text))) ||
		(affected.versions || []).some((v) => !parse(v)));
	if (odd) {
		unread++;
		continue;
	}
	const versions = new Set(["0.0.0-0", "0.0.1", "999.0.0"]);
	for (const { affected } of list) {
		(affected.versions || []).slice(0, 5).forEach((v) => versions.add(parse(v).version));
		for (const [, text] of rangesOf(affected).flatMap(eventsOf)) {
			if (text === "0") continue;
			const v = parse(text);
			versions.add(v.version);
			versions.add(`${v.major}.${v.minor}.${v.patch + 1}`);
			versions.add(`${v.major}.${v.minor}.${v.patch}-rc.1`);
			if (v.patch) versions.add(`${v.major}.${v.minor}.${v.patch - 1}`);
			if (v.minor) versions.add(`${v.major}.${v.minor - 1}.9`);
		}
	}
	for (const version of versions) {
		const ids = [...new Set(list.filter(({ affected }) => isAffected(affected, parse(version))).map(({ id }) => id))].sort();
		questions.push(`${name} ${version}`);
		expected.push([`${name} ${version}`, ...ids].join(" "));
	}
}

const done = spawnSync(probe, [folder], { input: questions.join("\n") + "\n", maxBuffer: 1 << 30, encoding: "utf8" });
if (done.status !== 0) {
	console.log(done.stderr);
	process.exit(1);
}
const got = done.stdout.split("\n");
const wrong = expected.map((line, i) => [line, got[i]]).filter(([a, b]) => a !== b);
wrong.slice(0, 10).forEach(([a, b]) => console.log(`expected ${a}\n     got ${b}`));
console.log(`${questions.length} versions of ${byPackage.size} packages (${unread} left out), ${wrong.length} answered otherwise`);
process.exit(wrong.length ? 1 : 0);
