# Ansible callback plugin: tells Ingot what became of each task. Events are lines of JSON, to the unix socket
# INGOT_ANSIBLE_SOCKET or to the file INGOT_ANSIBLE_EVENTS (src/provisioners/ansible/recap.ts reads them).

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: ingot_report
type: aggregate
author: Ingot
short_description: tells Ingot what became of each task
description:
  - Sends plays, tasks and their results to the Ingot build that runs the playbook.
"""

import json
import os
import socket

from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.callback import CallbackBase

TAIL = 2000


def message_of(result):
    """What a failed result says for people; of a loop, the first item that failed."""
    items = [item for item in result.get('results') or [] if isinstance(item, dict)]
    failed = [item for item in items if item.get('failed') or item.get('unreachable')]
    if failed:
        item = failed[0]
        label = item.get('_ansible_item_label', item.get('item'))
        return '%s (item=%s)' % (message_of(item), to_text(label))
    if 'censored' in result:
        return to_text(result['censored'])
    said = [to_text(result.get('msg', ''))]
    for key in ('stderr', 'module_stderr', 'reason'):
        if result.get(key):
            said.append(to_text(result[key]).strip()[-TAIL:])
            break
    return ': '.join(part for part in said if part) or 'no message'


def is_rescued(task):
    """Whether a rescue section takes over when this task fails."""
    child, parent = task, getattr(task, '_parent', None)
    while parent is not None:
        if getattr(parent, 'rescue', None) and any(one._uuid == child._uuid for one in parent.block):
            return True
        child, parent = parent, getattr(parent, '_parent', None)
    return False


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = 'aggregate'
    CALLBACK_NAME = 'ingot_report'
    CALLBACK_NEEDS_ENABLED = False

    def __init__(self, *args, **kwargs):
        super(CallbackModule, self).__init__(*args, **kwargs)
        self._sink = None
        self._loader = None

    def v2_playbook_on_start(self, playbook):
        self._loader = getattr(playbook, '_loader', None)

    def v2_playbook_on_play_start(self, play):
        self._send(event='play', name=play.get_name())

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._send(event='task', name=task.get_name())

    def v2_playbook_on_handler_task_start(self, task):
        self._send(event='task', name=task.get_name())

    def v2_runner_on_ok(self, result):
        self._outcome('ok', result)

    def v2_runner_on_skipped(self, result):
        self._outcome('skipped', result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if ignore_errors:
            status = 'ignored'
        else:
            status = 'rescued' if is_rescued(result._task) else 'failed'
        self._outcome(status, result, message_of(result._result))

    def v2_runner_on_unreachable(self, result):
        self._outcome('unreachable', result, message_of(result._result))

    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        loaded = sorted(to_text(path) for path in getattr(self._loader, '_FILE_CACHE', {}))
        self._send(event='stats', hosts=hosts, loaded=loaded)
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    def _outcome(self, status, result, message=None):
        task = result._task
        self._send(
            event='result',
            status=status,
            changed=bool(result._result.get('changed')),
            host=result._host.get_name(),
            task=task.get_name(),
            path=task.get_path(),
            message=message,
        )

    def _send(self, **event):
        if self._sink is None:
            self._sink = self._open()
        self._sink.write(json.dumps(event, sort_keys=True) + '\n')
        self._sink.flush()

    def _open(self):
        if 'INGOT_ANSIBLE_EVENTS' in os.environ:
            return open(os.environ['INGOT_ANSIBLE_EVENTS'], 'a')
        ingot = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        ingot.connect(os.environ['INGOT_ANSIBLE_SOCKET'])
        sink = ingot.makefile('w', encoding='utf-8')
        ingot.close()
        sink.write('{"op": "events"}\n')
        return sink
