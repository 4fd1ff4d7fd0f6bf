/*
 * File > Scripts > Save and Propagate: saves the open document where it came from, and lets the i2vedit command carry it on.
 * ExtendScript (ES3). A running round trip sees the save by itself and needs no script.
 */
(function () {
    var LAUNCHER = "@LAUNCHER@";

    function onWindows() {
        return $.os.indexOf("Windows") >= 0;
    }

    function shellWord(word) {
        return onWindows() ? "\"" + word.replace(/%/g, "%%") + "\"" : "'" + word.replace(/'/g, "'\\''") + "'";
    }

    function write(file, text) {
        file.encoding = "UTF-8";
        file.lineFeed = onWindows() ? "Windows" : "Unix";
        if (!file.open("w") || !file.write(text) || !file.close()) {
            throw new Error(file.fsName + " cannot be written.");
        }
    }

    /* Photoshop runs a file as the system opens it: a .command or .cmd, which starts ours and ends. */
    function run(picture) {
        var base = Folder.temp.fsName + "/i2vedit-" + new Date().getTime();
        var line = shellWord(LAUNCHER) + " host saved " + shellWord(picture) + " --json";
        var script = new File(base + (onWindows() ? ".cmd" : ".command"));
        write(script, onWindows() ? "@chcp 65001 >nul\n@start \"\" /B cmd /c call " + line + " >nul 2>&1\n" : "#!/bin/sh\n" + line + " >/dev/null 2>&1 &\n");
        if (!onWindows()) {
            app.system("chmod +x " + shellWord(script.fsName));
        }
        if (!script.execute()) {
            throw new Error("The i2vedit command cannot be started. Run in a terminal: i2vedit plugins install photoshop");
        }
    }

    /* Throws for a document that was never exported by i2vedit. */
    function exportedPath() {
        var path;
        if (!app.documents.length) {
            throw new Error("No document is open.");
        }
        try {
            path = app.activeDocument.fullName.fsName;
        } catch (error) {
            throw new Error("This document was never saved. Open the frame that i2vedit exported (its name ends in -Edit).");
        }
        if (!/-Edit\.[A-Za-z]+$/.test(path)) {
            throw new Error("This document is no frame that i2vedit exported: its name does not end in -Edit.");
        }
        return path;
    }

    try {
        var path = exportedPath();
        app.activeDocument.save();
        run(path);
    } catch (error) {
        alert("I2VEdit: " + error.message);
    }
}());
