/* After Effects, as its scripting guide names its objects; any other name is refused. Runs I2VEdit.jsx in Node's vm.
 *
 * node after_effects_double.js PANEL.jsx < INPUT.json > OUTPUT.json; INPUT is {"mode": ..., "cases": [...]}.
 */
"use strict";
const fs = require("fs");
const vm = require("vm");

function strict(name, target) {
    return new Proxy(target, {
        get(object, key) {
            if (typeof key === "symbol" || key in object) { return object[key]; }
            throw new Error(name + "." + String(key) + " is not documented");
        },
        set(object, key, value) {
            if (!(key in object)) { throw new Error(name + "." + String(key) + " cannot be set"); }
            object[key] = value;
            return true;
        },
    });
}

class Base { constructor() { return strict(this.constructor.name, this); } }

function world(options) {
    let ids = 100;
    const files = new Map();
    const state = { undo: 0, depth: 0, tasks: 0, commands: [], alerts: [] };
    const items = [];

    class File {
        constructor(path) { this.fsName = path; this.encoding = ""; this.lineFeed = ""; this._mode = ""; return strict("File", this); }
        get exists() { return files.has(this.fsName); }
        open(mode) { this._mode = mode; if (mode === "w") { files.set(this.fsName, ""); } return true; }
        read() { return files.get(this.fsName); }
        write(text) { files.set(this.fsName, files.get(this.fsName) + text); return true; }
        close() { return true; }
    }
    File.openDialog = () => (options.picture ? new File(options.picture) : null);
    class Folder {
        constructor(path) { this.fsName = path; return strict("Folder", this); }
        create() { return true; }
    }
    Folder.temp = new Folder("/tmp");
    class FileSource extends Base {
        constructor() { super(); }
        _init() { return this; }
    }
    Object.assign(FileSource.prototype, { isStill: false, conformFrameRate: 0, alphaMode: "STRAIGHT", premulColor: null });
    class AVItem extends Base {}
    Object.assign(AVItem.prototype, { id: 0, name: "", parentFolder: null, remove() { items.splice(items.indexOf(this), 1); } });
    class FootageItem extends AVItem {}
    Object.assign(FootageItem.prototype, { mainSource: null, file: null, duration: 0, _native: 30, _frames: 0, _first: 0 });
    Object.defineProperty(FootageItem.prototype, "frameRate", { get() { return this.mainSource.conformFrameRate || this._native; } });
    FootageItem.prototype.replaceWithSequence = function (file, force) {
        if (force !== false) { throw new Error("forced alphabetical"); }
        this.file = file;
        this.mainSource = new FileSource();
    };
    class CompItem extends AVItem {}
    Object.assign(CompItem.prototype, { frameRate: 24, time: 0, _layers: null });
    Object.defineProperty(CompItem.prototype, "numLayers", { get() { return this._layers.length; } });
    Object.defineProperty(CompItem.prototype, "selectedLayers", { get() { return this._layers.filter((layer) => layer._selected); } });
    CompItem.prototype.layer = function (index) { return this._layers[index - 1]; };
    class FolderItem extends AVItem {}
    class MarkerValue extends Base {
        constructor(comment) { super(); this.comment = comment; }
    }
    Object.assign(MarkerValue.prototype, { comment: "", label: 0 });
    /* Keys lie in the order of their times and are counted from 1; a value at the time of a key takes its place. */
    class Markers extends Base {
        constructor(keys) { super(); this._keys = keys; }
        get numKeys() { return this._keys.length; }
        keyTime(index) { return this._keys[index - 1][0]; }
        keyValue(index) { return this._keys[index - 1][1]; }
        removeKey(index) { if (!this._keys[index - 1]) { throw new Error("no such key"); } this._keys.splice(index - 1, 1); }
        nearestKeyIndex(time) {
            if (!this._keys.length) { throw new Error("no keys"); }
            const away = this._keys.map((key) => Math.abs(key[0] - time));
            return away.indexOf(Math.min(...away)) + 1;
        }
        setValueAtTime(time, value) {
            if (!(value instanceof MarkerValue)) { throw new Error("not a MarkerValue"); }
            this._keys = this._keys.filter((key) => key[0] !== time).concat([[time, value]]).sort((one, other) => one[0] - other[0]);
        }
    }
    Object.assign(Markers.prototype, { _keys: null });
    class AVLayer extends Base {}
    Object.assign(AVLayer.prototype, {
        id: 0, name: "", comment: "", source: null, stretch: 100, timeRemapEnabled: false, containingComp: null,
        _start: 0, _in: 0, _out: 0, _selected: false, _effects: null, _markers: null,
    });
    AVLayer.prototype.property = function (name) {
        if (name !== "Marker") { throw new Error("the property " + name + " is not known here"); }
        if (!this._markers) { this._markers = new Markers([]); }
        return this._markers;
    };
    Object.defineProperty(AVLayer.prototype, "index", { get() { return this.containingComp._layers.findIndex((each) => each.id === this.id) + 1; } });
    /* Moving the start moves the whole layer, as in the program. */
    Object.defineProperty(AVLayer.prototype, "startTime", {
        get() { return this._start; },
        set(value) { const by = value - this._start; this._start = value; this._in += by; this._out += by; },
    });
    Object.defineProperty(AVLayer.prototype, "inPoint", { get() { return this._in; }, set(value) { this._in = value + (options.slips || 0); } });
    Object.defineProperty(AVLayer.prototype, "outPoint", { get() { return this._out; }, set(value) { this._out = value; } });
    Object.assign(AVLayer.prototype, {
        duplicate() {
            const copy = new AVLayer();
            Object.assign(copy, { id: (ids += 1), name: this.name + " 2", source: this.source, containingComp: this.containingComp });
            Object.assign(copy, { _start: this._start, _in: this._in, _out: this._out, _effects: this._effects });
            copy._markers = new Markers(this.property("Marker")._keys.slice());
            this.containingComp._layers.splice(this.index - 1, 0, copy);
            return copy;
        },
        replaceSource(item, fixExpressions) { if (fixExpressions !== false) { throw new Error("expressions"); } this.source = item; },
        moveBefore(other) {
            const layers = this.containingComp._layers;
            layers.splice(this.index - 1, 1);
            layers.splice(other.index - 1, 0, this);
        },
        remove() { this.containingComp._layers.splice(this.index - 1, 1); },
        _shown(time) { return Math.floor((time - this._start) * this.source.frameRate + 1e-6); },
    });
    class ImportOptions extends Base {
        constructor(file) { super(); this._file = file; }
    }
    Object.assign(ImportOptions.prototype, { sequence: false, forceAlphabetical: true, _file: null });
    class Window_ { constructor() { return widget(); } }
    class Panel {}

    function widget() {
        const children = [];
        const made = { orientation: "", alignChildren: null, text: "", value: 0, selection: { text: "full" }, helpTip: "", onClick: null,
            layout: { layout() {} },
            add(kind, bounds, title) { const child = widget(); child.text = typeof title === "string" ? title : ""; children.push(child); return child; } };
        Object.defineProperty(made, "selection", { get: () => ({ text: "full" }), set() {} });
        return made;
    }

    function addItem(item, name) { Object.assign(item, { id: (ids += 1), name }); items.push(item); return item; }

    const project = strict("Project", {
        activeItem: null,
        file: new File("/projects/film.aep"),
        workingSpace: options.workingSpace || "",
        get numItems() { return items.length; },
        item(index) { return items[index - 1]; },
        items: strict("ItemCollection", { addFolder(name) { return addItem(new FolderItem(), name); } }),
        importFile(asked) {
            if (!asked.sequence || asked.forceAlphabetical) { throw new Error("not imported as a sequence"); }
            const footage = addItem(new FootageItem(), asked._file.fsName);
            Object.assign(footage, { file: asked._file, mainSource: new FileSource(), _native: 30 });
            return footage;
        },
    });
    const app = strict("Application", {
        project, version: "26.0",
        beginUndoGroup() { if (state.depth !== 0) { throw new Error("nested undo"); } state.depth += 1; state.undo += 1; },
        endUndoGroup() { if (state.depth !== 1) { throw new Error("no undo group"); } state.depth -= 1; },
        scheduleTask(code, milliseconds, repeat) { state.tasks += 1; state.code = code; return state.tasks; },
        cancelTask() { state.code = ""; },
    });
    const system = strict("System", { callSystem(command) { state.commands.push({ command, files: Object.fromEntries(files) }); return ""; } });
    const global = { app, system, File, Folder, FileSource, FootageItem, CompItem, FolderItem, AVLayer, MarkerValue, ImportOptions, Panel, Window: Window_,
        AlphaMode: strict("AlphaMode", { PREMULTIPLIED: "PREMULTIPLIED", STRAIGHT: "STRAIGHT" }),
        alert(text) { state.alerts.push(text); } };
    global.$ = strict("$", { os: options.os || "Macintosh OS 15.1", global });

    function makeLayer(given) {
        const comp = addItem(new CompItem(), "Comp 1");
        Object.assign(comp, { frameRate: given.comp_rate, time: given.time || 0, _layers: [] });
        const footage = addItem(new FootageItem(), "a.mov");
        Object.assign(footage, { file: new File(given.path || "/plates/a.mov"), mainSource: new FileSource(), _native: given.media_rate });
        const layer = new AVLayer();
        Object.assign(layer, { id: (ids += 1), name: "a.mov", source: footage, containingComp: comp, _selected: true, _effects: "glow" });
        Object.assign(layer, { _start: given.start, _in: given.in_point, _out: given.out_point }, given.layer || {});
        if (given.kind === "composition") { layer.source = addItem(new CompItem(), "Nested"); }
        if (given.kind === "still") { const source = new FileSource(); FileSource.prototype.isStill = true; footage.mainSource = source; }
        comp._layers.push(layer);
        project.activeItem = comp;
        return layer;
    }
    return { global, state, files, makeLayer, items };
}

function load(panel, options) {
    const made = world(options);
    vm.createContext(made.global);
    vm.runInContext(fs.readFileSync(panel, "utf8"), made.global, { filename: "I2VEdit.jsx" });
    made.panel = made.global.I2VEDIT;
    return made;
}

const MODES = {
    describe(panel, each) {
        const made = load(panel, each);
        return made.panel.describe(made.makeLayer(each));
    },
    place(panel, each) {
        const made = load(panel, each), layer = made.makeLayer(each);
        const status = Object.assign({ item: layer.containingComp.id + ":" + layer.id, session: "0123456789ab", clip: "a.mov" }, each.status);
        for (const [time, comment] of each.markers || []) { layer.property("Marker").setValueAtTime(time, new made.global.MarkerValue(comment)); }
        const marked = () => result.property("Marker")._keys.map(([time, value]) => [time, value.comment, value.label]);
        let result, error = "";
        try { result = made.panel.place(status); } catch (failure) { error = failure.message; }
        const left = { layers: layer.containingComp.numLayers, items: made.items.length, undo: made.state.undo, depth: made.state.depth };
        if (error) { return Object.assign(left, { error }); }
        const again = made.panel.place(status), later = { placement: Object.assign({}, status.placement, { job: "jobs/2", clip_name: "a v002" }) };
        const markers = marked();
        Object.assign(later.placement, { markers: each.later_markers || [] });
        const second = made.panel.place(Object.assign({}, status, later));
        const shown = [];
        for (const frame of each.frames || []) { shown.push([layer._shown(frame / each.comp_rate), result._shown(frame / each.comp_rate)]); }
        return Object.assign(left, { undo: made.state.undo, depth: made.state.depth, shown, index: result.index, start: result.startTime, rate: result.source.frameRate, name: second.name,
            alpha: result.source.mainSource.alphaMode, effects: result._effects, folder: result.source.parentFolder.name,
            again: again === result, second: second === result, layers_then: layer.containingComp.numLayers, markers, markers_then: marked() });
    },
    run(panel, each) {
        const made = load(panel, each);
        made.makeLayer(each);
        made.panel[each.action]();
        const command = made.state.commands[0];
        const answer = Object.keys(command.files)[0].replace(/[^/]*$/, "answer.json");
        const began = process.hrtime.bigint();
        made.files.set(answer, JSON.stringify(each.answer));
        made.panel.tick();
        for (const status of each.statuses || []) {
            made.files.set(each.answer.status_file, JSON.stringify(status));
            made.panel.tick();
        }
        const milliseconds = Number(process.hrtime.bigint() - began) / 1e6;
        return { command: command.command, files: command.files, code: made.state.code, milliseconds, commands: made.state.commands.length,
            layers: made.global.app.project.activeItem.numLayers };
    },
    refuse(panel, each) {
        const made = load(panel, each), layer = made.makeLayer(each);
        const refused = [];
        for (const attempt of [() => layer.nonsense, () => { layer.nonsense = 1; }, () => made.global.app.project.saveFrameToPng]) {
            try { attempt(); refused.push(false); } catch (error) { refused.push(/not documented|cannot be set/.test(error.message)); }
        }
        return refused;
    },
};

const input = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(input.cases.map((each) => MODES[input.mode](process.argv[2], each))));
