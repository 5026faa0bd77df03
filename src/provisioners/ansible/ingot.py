# Ansible connection plugin: acts in the machine of an Ingot build, whatever kind of machine that is. Commands and
# files go to Ingot over a unix socket, one connection a request: a line of JSON, then the bytes that it announces.
# The answer has the same form (src/provisioners/ansible/bridge.ts).

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: ingot
author: Ingot
short_description: acts in the machine of an Ingot build
description:
  - Runs commands and moves files in the machine that an Ingot build provisions.
options:
  remote_addr:
    description: Address of the host, as the inventory has it.
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: delegated_vars['ansible_host']
  remote_user:
    description: User to act as; the machine's own user where nothing is said.
    ini:
      - section: defaults
        key: remote_user
    env:
      - name: ANSIBLE_REMOTE_USER
    keyword:
      - name: remote_user
    vars:
      - name: ansible_user
      - name: ansible_ssh_user
  pipelining:
    description: Sends modules by standard input, with no file in between.
    type: boolean
    default: true
    ini:
      - section: defaults
        key: pipelining
      - section: connection
        key: pipelining
    env:
      - name: ANSIBLE_PIPELINING
    vars:
      - name: ansible_pipelining
"""

import json
import os
import socket

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_bytes, to_native
from ansible.plugins.connection import ConnectionBase


class Connection(ConnectionBase):
    transport = 'ingot'

    @property
    def has_pipelining(self):
        # Standard input is needed for the password then.
        return self._become_password() is None

    def _connect(self):
        self._connected = True
        return self

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super(Connection, self).exec_command(cmd, in_data=in_data, sudoable=sudoable)
        password = self._become_password() if sudoable else None
        body = in_data if password is None else to_bytes(password) + b'\n'
        answer, out = self._ask({'op': 'exec', 'command': to_native(cmd)}, to_bytes(body or b''))
        if 'error' in answer:
            raise AnsibleConnectionFailure(to_native(answer['error']))
        return answer['code'], out[: answer['stdout']], out[answer['stdout'] :]

    def put_file(self, in_path, out_path):
        super(Connection, self).put_file(in_path, out_path)
        self._transfer({'op': 'put', 'source': os.path.abspath(in_path), 'destination': out_path})

    def fetch_file(self, in_path, out_path):
        super(Connection, self).fetch_file(in_path, out_path)
        self._transfer({'op': 'fetch', 'source': in_path, 'destination': os.path.abspath(out_path)})

    def reset(self):
        """Nothing is kept between two requests."""

    def close(self):
        self._connected = False

    def _transfer(self, request):
        answer, _rest = self._ask({key: to_native(value) for key, value in request.items()}, b'')
        if 'error' in answer:
            raise AnsibleError(to_native(answer['error']))

    def _become_password(self):
        if self.become is None:
            return None
        return self.become.get_option('become_pass', playcontext=self._play_context)

    def _ask(self, request, body):
        request['address'] = self._play_context.remote_addr
        request['user'] = self.get_option('remote_user') or self._play_context.remote_user
        request['bytes'] = len(body)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ingot:
                ingot.connect(os.environ['INGOT_ANSIBLE_SOCKET'])
                ingot.sendall(json.dumps(request).encode('utf-8') + b'\n' + body)
                received = b''.join(iter(lambda: ingot.recv(65536), b''))
        except (KeyError, OSError) as error:
            raise AnsibleConnectionFailure('Ingot cannot be reached: %s' % to_native(error))
        head, newline, rest = received.partition(b'\n')
        if not newline:
            raise AnsibleConnectionFailure('Ingot has ended before it answered')
        return json.loads(head.decode('utf-8')), rest
