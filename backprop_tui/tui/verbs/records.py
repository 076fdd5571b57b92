"""Keys that change what people say of runs, or take something out of them: star, edit, archive, copy, export."""

from __future__ import annotations

import os
import shlex

from backprop_tui.control import annotating, exporting
from backprop_tui.errors import BackpropError
from backprop_tui.model.secrets import masked_args
from backprop_tui.tui import osc
from backprop_tui.tui.folders import current_folder
from backprop_tui.tui.screens.copy import CopyBar
from backprop_tui.tui.screens.fields import Asked, FieldsDialog
from backprop_tui.tui.screens.going_on import RemoveDialog
from backprop_tui.tui.screens.run import RunPage
from backprop_tui.tui.screens.soon import Soon
from backprop_tui.tui.verbs.base import Base, plural
from backprop_tui.watch.failures import traceback_of
from backprop_tui.watch.record import read_record
from backprop_tui.watch.tail import LogTail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.tui.target import Target

UNASKED = 5
"""More runs than this, or one with a star, are deleted only after their number was typed."""
COPIED_LINES = 50
SHOWN_COPY = 120


class RecordVerbs(Base):
    """Records are changed in a thread."""

    _has_copied = False

    def action_star(self) -> None:
        """Star all, or if all have one take it off."""
        found = self.targets("*")
        is_seen = self.screen is self.main

        def work() -> None:
            before = {target.id: read_record(self.home, target.id).notes.star for target in found}
            star = not all(before.values())
            for run_id in before:
                annotating.star(self.home, run_id, star=star)
            self.call_from_thread(self.undo_with, "the star", lambda: each(before))
            if not is_seen:
                self.call_from_thread(self.say, f"{found[0].called} {'has a' if star else 'has no'} star now.")

        def each(stars: dict[str, bool]) -> None:
            for run_id, star in stars.items():
                annotating.star(self.home, run_id, star=star)

        if found:
            self.change(work)

    def action_edit(self) -> None:
        """Name, tags and note."""
        target = self.target("e")
        if target is None:
            return

        def work(soon: Soon) -> None:
            notes = read_record(self.home, target.id).notes
            before = {"name": notes.name or "", "tags": ", ".join(notes.tags), "note": notes.note.replace("\n", " ")}
            fields = [
                Asked(key="name", label="Name", value=before["name"], hint="to find the run by"),
                Asked(key="tags", label="Tags", value=before["tags"], hint="with commas between"),
                Asked(key="note", label="Note", value=before["note"]),
            ]

            def save(values: dict[str, str]) -> None:
                annotating.edit(self.home, target.id, **{**values, "note": _kept_note(values["note"], notes.note)})

            def answered(values: dict[str, str] | None) -> None:
                if values and values != before:
                    self.change(lambda: save(values))
                    self.undo_with("the edit", lambda: save({**before, "note": notes.note}))

            dialog = FieldsDialog(self.palette, f"Edit {target.called}", fields, _what_is_wrong)
            self.call_from_thread(soon.give_way, dialog, answered)

        self.question(work)

    # --- archiving and deleting

    def action_remove(self) -> None:
        """Archive or delete what has ended; in the archive, bring back."""
        targets = self.targets("D")
        found = [target for target in targets if self.record(target.id) is None]
        going = [target for target in targets if target not in found]
        if going:
            more = f" and {len(going) - 1} more" if len(going) > 1 else ""
            self.say(f"D: {going[0].called}{more} is {self.state_of(going[0])}. K stops it first.")
        if not found:
            return
        page = self.screen if isinstance(self.screen, RunPage) else None
        if self.main.history.view.archived:
            self._archive(found, archived=False, page=page)
            return

        stars: list[Target] = []

        def answered(value: str | None) -> None:
            if value == "archive":
                self._archive(found, archived=True, page=page)
            elif value == "purge":
                self._delete(found, page, has_stars=bool(stars))

        def work(soon: Soon) -> None:
            stars.extend(target for target in found if read_record(self.home, target.id).notes.star)
            size = sum(annotating.record_bytes(self.home, target.id) for target in found)
            dialog = RemoveDialog(self.palette, [target.called for target in found], size)
            self.call_from_thread(soon.give_way, dialog, answered)

        self.question(work)

    def state_of(self, target: Target) -> str:
        """Its state now, as far as it is known."""
        record = self.record(target.id)
        return str(record.run.state) if record is not None else target.state

    def _archive(self, targets: list[Target], *, archived: bool, page: RunPage | None) -> None:
        def set_all(runs: list[Target], *, value: bool) -> list[Target]:
            return self.of_each(runs, lambda target: annotating.archive(self.home, target.id, archived=value))

        def work() -> None:
            done = set_all(targets, value=archived)
            what = "archiving" if archived else "bringing back"
            self.call_from_thread(self.undo_with, what, lambda: set_all(done, value=not archived))
            words = "archived; u brings them back" if archived else "back in the history"
            self.call_from_thread(self.say, f"{plural(len(done))} {words}.")

        self._leave_page(page)
        self.change(work)

    def _leave_page(self, page: RunPage | None) -> None:
        """Out of the page of a run that is not listed any more, to where u works; else no marks any more."""
        if page is None:
            self.main.unmark()
        elif self.screen is page:
            page.action_back()

    def _delete(self, targets: list[Target], page: RunPage | None, *, has_stars: bool) -> None:
        count = len(targets)
        if count <= UNASKED and not has_stars:
            self._purge(targets, page)
            return

        def check(values: dict[str, str]) -> str:
            return "" if values["count"].strip() == str(count) else f"type {count} to delete, esc keeps them"

        def answered(values: dict[str, str] | None) -> None:
            if values:
                self._purge(targets, page)

        fields = [Asked(key="count", label="How many", value="", hint=f"type {count} to delete {plural(count)}")]
        said = ["Starred runs are among them." if has_stars else "These are many."]
        self.push_screen(FieldsDialog(self.palette, f"Delete {plural(count)}?", fields, check, said=said), answered)

    def _purge(self, targets: list[Target], page: RunPage | None) -> None:
        def work() -> None:
            done = self.of_each(targets, lambda target: annotating.purge(self.home, target.id))
            self.call_from_thread(self.say, f"{plural(len(done))} deleted.")

        self.undoing.clear()  # the last change cannot be taken back, and none before it is meant
        self._leave_page(page)
        self.change(work)

    def action_undo(self) -> None:
        """Take back the last change."""
        if not self.undoing:
            self.say("u: nothing to undo.")
            return
        what, undo = self.undoing.pop()

        def work() -> None:
            undo()
            self.call_from_thread(self.say, f"undone: {what}.")

        self.change(work)

    # --- out of it

    def action_copy(self) -> None:
        """Ask what, and copy it."""
        targets = self.targets("y")
        if targets:
            self.push_screen(CopyBar(self.palette), lambda what: self._copy(targets, what) if what else None)

    def _copy(self, targets: list[Target], what: str) -> None:
        def work() -> None:
            found = [text for target in targets if (text := self._text_of(target, what))]
            if found:
                self.call_from_thread(self.copy_text, "\n".join(found))
            else:
                self.call_from_thread(self.say, f"there is no {NAMES_OF[what]} to copy.")

        self.background(work)

    def _text_of(self, target: Target, what: str) -> str:
        if what == "id":
            return target.id
        if what == "name":
            return target.called
        record = read_record(self.home, target.id)
        if what == "path":
            return record.folder
        if what == "command":
            words = record.spec.command if record.spec is not None else ()
            is_command = record.spec is not None and record.spec.is_command
            if not words:
                return ""
            run = ["backprop", "run", "--", *words] if is_command else ["backprop", "run", words[0], *_args(words[1:])]
            return shlex.join(run)
        tail = LogTail(self.home, target.id)
        try:
            tail.read()
            lines = tail.shown(COPIED_LINES if what == "lines" else 200)
        finally:
            tail.close()
        return "\n".join(lines if what == "lines" else traceback_of(lines))

    def copy_text(self, text: str) -> None:
        """Put text on the clipboard, and say it, so that it can be selected where the terminal takes no clipboard."""
        env = dict(os.environ)
        osc.write(self, osc.copy(text, env))
        first, *more = text.splitlines() or [""]
        first = " ".join(masked_args(first.split(" ")))
        tail = f" and {plural(len(more), 'more line')}" if more else ""
        self.say(f"copied: {first[:SHOWN_COPY]}{tail}")
        if not self._has_copied and osc.needs_tmux_hint(env):
            self.say('If nothing was copied: tmux needs "set -g set-clipboard on".')
        self._has_copied = True

    def action_export(self) -> None:
        """Write the metrics as CSV into the current folder."""
        ids = [target.id for target in self.export_targets()]
        if ids:
            self.background(
                lambda: self.call_from_thread(
                    self.say, f"written: {exporting.export_csv(self.home, ids, current_folder())}"
                )
            )

    def export_targets(self) -> list[Target]:
        """What an export holds: all that are compared, or the run in hand."""
        compared = getattr(self.screen, "compared", None)
        return compared if compared is not None else self.targets("E")


NAMES_OF = {
    "id": "id", "command": "command", "name": "name", "path": "path", "lines": "output", "traceback": "traceback",
}  # fmt: skip


def _args(words: tuple[str, ...]) -> list[str]:
    return ["--", *words] if words else []


def _kept_note(typed: str, before: str) -> str:
    """A note of several lines keeps them unless it was changed: the field has one line."""
    return before if typed == before.replace("\n", " ") else typed


def _what_is_wrong(values: dict[str, str]) -> str:
    try:
        if values["name"].strip():
            annotating.clean_name(values["name"])
        annotating.clean_tags([values["tags"]])
    except BackpropError as error:
        return error.message
    return ""
