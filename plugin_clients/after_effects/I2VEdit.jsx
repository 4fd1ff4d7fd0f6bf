/*
 * I2VEdit Bridge in After Effects: Window > I2VEdit.jsx. ExtendScript (ES3).
 *
 * Runs the i2vedit command without waiting for it, and reads what it writes. Timing and colour are decided there; this file gathers
 * the layer and places the result.
 */
(function (panel) {
    var LAUNCHER = "@LAUNCHER@";
    var LOOK_MILLISECONDS = 300;
    var TIME_TOLERANCE = 0.0001;
    var BIN = "I2VEdit";
    var MARK = "i2vedit ";
    var NOTE = "I2VEdit: ";
    /* Of After Effects' labels: yellow, red, purple. */
    var LABELS = { suggestion: 2, warning: 1, note: 10 };
    var calls = [];
    var watched = [];
    var count = 0;
    var task = 0;
    var ui = {};

    function quoted(text) {
        var out = "", i, code, letter;
        for (i = 0; i < text.length; i += 1) {
            code = text.charCodeAt(i);
            letter = text.charAt(i);
            if (letter === "\\" || letter === "\"") {
                out += "\\" + letter;
            } else if (code < 32 || code > 126) {
                out += "\\u" + ("0000" + code.toString(16)).slice(-4);
            } else {
                out += letter;
            }
        }
        return "\"" + out + "\"";
    }

    /* ExtendScript has no JSON. */
    function toJson(value) {
        var parts = [], key;
        if (value === null || value === undefined) {
            return "null";
        }
        if (typeof value === "string") {
            return quoted(value);
        }
        if (typeof value === "number" || typeof value === "boolean") {
            return String(value);
        }
        for (key in value) {
            if (value.hasOwnProperty(key)) {
                parts.push(quoted(key) + ":" + toJson(value[key]));
            }
        }
        return "{" + parts.join(",") + "}";
    }

    /* Nothing but JSON is evaluated: every string, number and word is taken out first, and only brackets may be left. */
    function fromJson(text) {
        var rest = text.replace(/"(?:[^"\\\n\r]|\\["\\\/bfnrt]|\\u[0-9a-fA-F]{4})*"|true|false|null|-?\d+(?:\.\d*)?(?:[eE][+\-]?\d+)?/g, "]");
        if (!/^[\],:{}\s\[]*$/.test(rest)) {
            return null;
        }
        try {
            return eval("(" + text + ")");
        } catch (error) {
            return null;
        }
    }

    function read(path) {
        var file = new File(path), text;
        file.encoding = "UTF-8";
        if (!file.exists || !file.open("r")) {
            return null;
        }
        text = file.read();
        file.close();
        return fromJson(text);
    }

    function write(path, text) {
        var file = new File(path);
        file.encoding = "UTF-8";
        file.lineFeed = onWindows() ? "Windows" : "Unix";
        if (!file.open("w") || !file.write(text) || !file.close()) {
            throw new Error(path + " cannot be written. Switch on Settings > Scripting & Expressions > Allow Scripts to Write Files.");
        }
    }

    function onWindows() {
        return $.os.indexOf("Windows") >= 0;
    }

    function shellWord(word) {
        return onWindows() ? "\"" + word.replace(/%/g, "%%") + "\"" : "'" + word.replace(/'/g, "'\\''") + "'";
    }

    /* callSystem waits for what it starts, so it starts a script that starts the command and ends. */
    function start(words, request, then) {
        var folder = new Folder(Folder.temp.fsName + "/i2vedit-" + new Date().getTime() + "-" + count);
        var base, line, i;
        count += 1;
        if (!folder.create()) {
            throw new Error("The folder " + folder.fsName + " cannot be made.");
        }
        base = folder.fsName + "/";
        line = shellWord(LAUNCHER) + " host";
        for (i = 0; i < words.length; i += 1) {
            line += " " + shellWord(words[i]);
        }
        if (request) {
            write(base + "request.json", toJson(request));
            line += " " + shellWord(base + "request.json");
        }
        line += " --answer " + shellWord(base + "answer.json") + " --json";
        if (onWindows()) {
            write(base + "run.cmd", "@chcp 65001 >nul\n@start \"\" /B cmd /c call " + line + " >nul 2>&1\n");
            system.callSystem("cmd.exe /c \"" + base + "run.cmd\"");
        } else {
            write(base + "run.sh", line + " >/dev/null 2>&1 &\n");
            system.callSystem("/bin/sh " + shellWord(base + "run.sh"));
        }
        calls.push({ answer: base + "answer.json", then: then });
        look();
    }

    function look() {
        if (!task) {
            task = app.scheduleTask("$.global.I2VEDIT.tick()", LOOK_MILLISECONDS, true);
        }
    }

    function say(text, fraction) {
        if (ui.line) {
            ui.line.text = text;
            ui.bar.value = fraction === undefined ? ui.bar.value : fraction * 100;
        }
    }

    /* Looks at files alone: the host's thread is never kept. */
    function tick() {
        var left = [], waiting = [], i, answer, each;
        for (i = 0; i < calls.length; i += 1) {
            answer = read(calls[i].answer);
            if (!answer) {
                left.push(calls[i]);
            } else if (answer.event === "succeeded") {
                guarded(calls[i].then, answer);
            } else {
                say(answer.message);
            }
        }
        calls = left.concat(calls.slice(i));
        for (i = 0; i < watched.length; i += 1) {
            each = watched[i];
            if (follow(each)) {
                waiting.push(each);
            }
        }
        watched = waiting.concat(watched.slice(i));
        if (!calls.length && !watched.length && task) {
            app.cancelTask(task);
            task = 0;
        }
    }

    function guarded(action, argument) {
        try {
            return action(argument);
        } catch (error) {
            say(error.message);
            return null;
        }
    }

    /* Whether there is more to come of a session. */
    function follow(each) {
        var status = read(each.file);
        if (!status) {
            return true;
        }
        if (status.placement) {
            if (status.placement.job !== each.job) {
                each.job = status.placement.job;
                guarded(function () {
                    place(status);
                });
            }
            return each.open;
        }
        say(status.clip + ": " + status.words, status.fraction);
        return each.open || (status.event !== "failed" && status.event !== "cancelled");
    }

    function watch(answer, isOpen) {
        var i;
        for (i = 0; i < watched.length; i += 1) {
            if (watched[i].file === answer.status_file) {
                return;
            }
        }
        watched.push({ session: answer.session, file: answer.status_file, job: "", open: isOpen });
        look();
    }

    /* The layer that is meant. Throws where there is none, or more than one. */
    function selectedLayer() {
        var comp = app.project.activeItem;
        if (!(comp instanceof CompItem) || comp.selectedLayers.length !== 1) {
            throw new Error("Open a composition, select one layer in it, and try again.");
        }
        return comp.selectedLayers[0];
    }

    function kind(layer) {
        if (!(layer instanceof AVLayer) || !layer.source) {
            return "generator";
        }
        if (layer.source instanceof CompItem) {
            return "composition";
        }
        if (!(layer.source.mainSource instanceof FileSource) || layer.source.mainSource.isStill) {
            return "generator";
        }
        if (layer.timeRemapEnabled) {
            return "time_remapped";
        }
        if (layer.stretch < 0) {
            return "reversed";
        }
        return layer.stretch === 100 ? "clip" : "retimed";
    }

    function identity(layer) {
        return layer.containingComp.id + ":" + (layer.id === undefined ? layer.name : layer.id);
    }

    /* The layer as the contract's clip; times are as After Effects has them. */
    function describe(layer) {
        var comp = layer.containingComp, which = kind(layer), hasFile = which !== "generator" && which !== "composition";
        return {
            path: hasFile ? layer.source.file.fsName : layer.name,
            name: layer.name,
            kind: which,
            timeline_rate: comp.frameRate,
            record_start: Math.round(layer.inPoint * comp.frameRate),
            record_count: Math.round((layer.outPoint - layer.inPoint) * comp.frameRate),
            offset_seconds: layer.inPoint - layer.startTime,
            media_rate: hasFile ? layer.source.frameRate : null,
            managed: app.project.workingSpace !== "" && app.project.workingSpace !== "None",
            track: String(layer.index),
            playhead: Math.round(comp.time * comp.frameRate)
        };
    }

    function request(layer) {
        return {
            host: "after_effects",
            host_version: app.version,
            project: app.project.file ? app.project.file.fsName : "",
            item: identity(layer),
            clip: describe(layer),
            settings: { model: ui.model ? ui.model.text : "mini", preset: ui.preset ? ui.preset.selection.text : "full" }
        };
    }

    function findLayer(item) {
        var i, j, comp;
        for (i = 1; i <= app.project.numItems; i += 1) {
            comp = app.project.item(i);
            if (comp instanceof CompItem) {
                for (j = 1; j <= comp.numLayers; j += 1) {
                    if (identity(comp.layer(j)) === item) {
                        return comp.layer(j);
                    }
                }
            }
        }
        return null;
    }

    /* The layer of an earlier result of this session. */
    function findResult(comp, session) {
        var i;
        for (i = 1; i <= comp.numLayers; i += 1) {
            if (comp.layer(i).comment.indexOf(MARK + session) === 0) {
                return comp.layer(i);
            }
        }
        return null;
    }

    function bin() {
        var i, item;
        for (i = 1; i <= app.project.numItems; i += 1) {
            item = app.project.item(i);
            if (item instanceof FolderItem && item.name === BIN) {
                return item;
            }
        }
        return app.project.items.addFolder(BIN);
    }

    function firstFile(placement) {
        var number = ("0000" + placement.first_number).slice(-Math.max(4, String(placement.first_number).length));
        return new File(placement.directory + "/" + placement.pattern.replace("%04d", number));
    }

    /* Sequences come in at 30 frames a second, and with an alpha that is guessed. */
    function conform(source, placement) {
        source.conformFrameRate = placement.rate_number;
        source.alphaMode = AlphaMode.PREMULTIPLIED;
        source.premulColor = [0, 0, 0];
    }

    /* Puts a result above its layer, or into the layer of the result before; all of it in one step of Undo. */
    function place(status) {
        var layer = findLayer(status.item), placement = status.placement, earlier;
        if (!layer) {
            throw new Error("The layer of " + status.clip + " is gone; the result is in " + placement.directory + ".");
        }
        earlier = findResult(layer.containingComp, status.session);
        if (earlier && earlier.comment === MARK + status.session + " " + placement.job) {
            return earlier;
        }
        app.beginUndoGroup("I2VEdit: " + placement.version);
        try {
            return earlier ? replace(earlier, status) : add(layer, status);
        } finally {
            app.endUndoGroup();
        }
    }

    function replace(result, status) {
        result.source.replaceWithSequence(firstFile(status.placement), false);
        conform(result.source.mainSource, status.placement);
        result.name = status.placement.clip_name;
        result.comment = MARK + status.session + " " + status.placement.job;
        mark(result, status.placement);
        say(status.placement.clip_name + " is in its layer.", 1);
        return result;
    }

    function add(layer, status) {
        var placement = status.placement, options = new ImportOptions(firstFile(placement)), footage, result, wrong;
        options.sequence = true;
        options.forceAlphabetical = false;
        footage = /** @type {FootageItem} */ (app.project.importFile(options));
        footage.parentFolder = bin();
        conform(footage.mainSource, placement);
        /* A duplicate keeps transform, effects and masks. */
        result = layer.duplicate();
        result.replaceSource(footage, false);
        result.startTime = layer.startTime + placement.start_shift_seconds;
        result.inPoint = layer.inPoint;
        result.outPoint = layer.outPoint;
        result.moveBefore(layer);
        result.name = placement.clip_name;
        result.comment = MARK + status.session + " " + placement.job;
        wrong = difference(result, layer, placement);
        if (wrong) {
            result.remove();
            footage.remove();
            throw new Error("After Effects placed the result otherwise than asked (" + wrong + "); it was taken away again.");
        }
        mark(result, placement);
        say(placement.clip_name + " is above " + layer.name + ".", 1);
        return result;
    }

    /* A marker on the layer at each frame that is worth a look. Those of an earlier result go; the artist's stay. */
    function mark(result, placement) {
        var markers = /** @type {Property} */ (result.property("Marker")), told = placement.markers || [], i, value;
        for (i = markers.numKeys; i >= 1; i -= 1) {
            if (markers.keyValue(i).comment.indexOf(NOTE) === 0) {
                markers.removeKey(i);
            }
        }
        for (i = 0; i < told.length; i += 1) {
            value = new MarkerValue(NOTE + told[i].text);
            value.label = LABELS[told[i].kind];
            markers.setValueAtTime(freeTime(markers, told[i].record_frame, result.containingComp.frameRate), value);
        }
    }

    /* Of a frame, or of the next one after it that has no marker: a second one there would take the first one's place. */
    function freeTime(markers, frame, rate) {
        var time = frame / rate;
        while (markers.numKeys && Math.abs(markers.keyTime(markers.nearestKeyIndex(time)) - time) < TIME_TOLERANCE) {
            frame += 1;
            time = frame / rate;
        }
        return time;
    }

    /* What was read back and is not as it should be; empty where all is. */
    function difference(result, layer, placement) {
        var wanted = [
            ["start", result.startTime, layer.startTime + placement.start_shift_seconds],
            ["in point", result.inPoint, layer.inPoint],
            ["out point", result.outPoint, layer.outPoint],
            ["frame rate", result.source.frameRate, placement.rate_number],
            ["index", result.index, layer.index - 1]
        ], i;
        for (i = 0; i < wanted.length; i += 1) {
            if (Math.abs(wanted[i][1] - wanted[i][2]) > (wanted[i][0] === "frame rate" ? 0.01 : TIME_TOLERANCE)) {
                return wanted[i][0] + " " + wanted[i][1] + " instead of " + wanted[i][2];
            }
        }
        return "";
    }

    function paint() {
        var layer = selectedLayer();
        say("Exporting a frame of " + layer.name + "...", 0);
        start(["begin", "--open"], request(layer), function (answer) {
            watch(answer, true);
            say("Paint on " + answer.frame_file + " and save it.");
        });
    }

    function propagate() {
        var layer = selectedLayer(), picture = /** @type {File} */ (File.openDialog("The painted frame of " + layer.name));
        if (!picture) {
            return;
        }
        start(["begin"], request(layer), function (answer) {
            start(["submit", answer.session, "--edited", picture.fsName], null, function (submitted) {
                watch(submitted, false);
            });
        });
    }

    function stop() {
        var i;
        for (i = 0; i < watched.length; i += 1) {
            watched[i].open = false;
            start(["cancel", watched[i].session], null, function () {
                say("Stopped.", 0);
            });
        }
    }

    /* After the project was opened again. */
    function findAgain() {
        var project = app.project.file ? app.project.file.fsName : "";
        start(["poll", "--host", "after_effects", "--project", project], null, function (answer) {
            var i;
            for (i = 0; i < answer.sessions.length; i += 1) {
                watch(answer.sessions[i], false);
            }
            say(answer.sessions.length + " found.");
        });
    }

    function button(parent, title, action) {
        parent.add("button", undefined, title).onClick = function () {
            guarded(action);
        };
    }

    function build(window) {
        var settings;
        window.orientation = "column";
        window.alignChildren = ["fill", "top"];
        button(window, "Paint This Frame", paint);
        button(window, "Propagate Edit...", propagate);
        settings = window.add("group");
        ui.model = settings.add("edittext", undefined, "mini");
        ui.model.helpTip = "mini, svd, svd-xt, or a model folder";
        ui.preset = settings.add("dropdownlist", undefined, ["full", "balanced", "preview"]);
        ui.preset.selection = 0;
        ui.bar = window.add("progressbar", undefined, 0, 100);
        ui.line = window.add("statictext", undefined, "Select a layer.", { truncate: "middle" });
        button(window, "Stop", stop);
        button(window, "Find Jobs Again", findAgain);
        window.layout.layout(true);
    }

    $.global.I2VEDIT = { tick: tick, describe: describe, place: place, paint: paint, propagate: propagate, stop: stop, findAgain: findAgain };
    if (panel instanceof Panel) {
        build(panel);
    } else {
        build(new Window("palette", "I2VEdit", undefined, { resizeable: true }));
    }
}(this));
