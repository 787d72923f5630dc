#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Zips a submission as students do: zip.py FOLDER ZIP [STYLE...]

wrapped   everything is in one folder with the name of the submission
slash     names begin with "/"
backslash folders are parted by "\\", as some programs of Windows do
stored    not compressed
macos     what the Finder adds: __MACOSX/._*, .DS_Store
windows   what the Explorer adds: Thumbs.db, desktop.ini; text files with CRLF
modules   a node_modules folder of another machine
git       a .git folder
folders   entries for folders, too
"""

import os
import sys
import zipfile

MODULES = {
    "node_modules/.package-lock.json": b"{}",
    "node_modules/express/package.json": b'{"name": "express", "version": "1.0.0", "main": "index.js"}',
    "node_modules/express/index.js": b'throw new Error("this is express of another machine")\n',
    "node_modules/pg/package.json": b'{"name": "pg", "version": "1.0.0", "main": "index.js"}',
    "node_modules/pg/index.js": b'throw new Error("this is pg of another machine")\n',
    "node_modules/.bin/tsc": b"#!/bin/sh\nexit 1\n",
}
GIT = {
    ".git/HEAD": b"ref: refs/heads/main\n",
    ".git/config": b"[core]\n\trepositoryformatversion = 0\n",
    ".git/objects/4b/825dc642cb6eb9a060e54bf8d69288fbee4904": b"x\x9c+)JMU0`\x00\x00\n,\x02\x01",
}
TEXT = (".js", ".mjs", ".cjs", ".ts", ".sql", ".json", ".prisma", ".env", ".yml")


def read(folder, styles):
    files = {}
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                data = file.read()
            if "windows" in styles and name.endswith(TEXT):
                data = data.replace(b"\n", b"\r\n")
            files[os.path.relpath(path, folder)] = data
    return files


def leftovers(files, styles):
    more = {}
    if "macos" in styles:
        more[".DS_Store"] = b"\0\0\0\1Bud1"
        for name in files:
            folder, base = os.path.split(name)
            more[os.path.join("__MACOSX", folder, "._" + base)] = b"\0\5\26\7\0\2\0\0Mac OS X"
    if "windows" in styles:
        more["Thumbs.db"] = b"\xd0\xcf\x11\xe0"
        more["desktop.ini"] = b"[.ShellClassInfo]\r\n"
    if "modules" in styles:
        more.update(MODULES)
    if "git" in styles:
        more.update(GIT)
    return more


def folders_of(names):
    found = set()
    for name in names:
        while "/" in name:
            name = name.rsplit("/", 1)[0]
            found.add(name + "/")
    return sorted(found)


def main():
    folder, archive, *styles = sys.argv[1:]
    files = read(folder, styles)
    files.update(leftovers(files, styles))
    if "folders" in styles:
        files = {**{name: b"" for name in folders_of(files)}, **files}
    top = os.path.basename(os.path.normpath(folder)) + "/" if "wrapped" in styles else ""
    slash = "/" if "slash" in styles else ""
    method = zipfile.ZIP_STORED if "stored" in styles else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(archive, "w", method) as out:
        for name, data in files.items():
            # The Finder's own folder lies beside the wrapping one.
            prefix = "" if name.startswith("__MACOSX/") else top
            entry = zipfile.ZipInfo(slash + prefix + name, (2025, 9, 1, 12, 0, 0))
            if "backslash" in styles:
                entry.filename = entry.filename.replace("/", "\\")
            out.writestr(entry, data, method)


main()
