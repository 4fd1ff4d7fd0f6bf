/* Photoshop, as far as Save and Propagate.jsx needs it; any other name is refused. */
"use strict";
const fs = require("fs");
const vm = require("vm");

function strict(name, target) {
    return new Proxy(target, {
        get(object, key) {
            if (typeof key === "symbol" || key in object) { return object[key]; }
            throw new Error(name + "." + String(key) + " is not documented");
        },
    });
}

function run(script, each) {
    const seen = { alerts: [], saved: 0, executed: "", script: "" };
    class File {
        constructor(path) { this.fsName = path; this.encoding = ""; this.lineFeed = ""; return new Proxy(this, {}); }
        open() { return true; }
        write(text) { seen.script += text; return true; }
        close() { return true; }
        execute() { seen.executed = this.fsName; return true; }
    }
    const document = {
        get fullName() { if (!each.path) { throw new Error("8103"); } return new File(each.path); },
        save() { seen.saved += 1; },
    };
    const global = {
        app: strict("Application", { documents: each.closed ? [] : [document], activeDocument: strict("Document", document), system() { return 0; } }),
        $: strict("$", { os: "Macintosh OS 15.1" }),
        File, Folder: { temp: { fsName: "/tmp" } },
        alert(text) { seen.alerts.push(text); },
    };
    vm.runInContext(fs.readFileSync(script, "utf8"), vm.createContext(global));
    return seen;
}

const input = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(input.cases.map((each) => run(process.argv[2], each))));
