"""Chat templates of the shapes that models come with, written for these tests."""

from __future__ import annotations

TEMPLATES = {
    "headers": """\
{{- bos_token }}
{%- set loop_messages = messages %}
{%- for message in loop_messages %}
    {%- set content = '<|head|>' + message['role'] + '<|/head|>\\n\\n' + message['content'] | trim + '<|eot_id|>' %}
    {{- content }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|head|>assistant<|/head|>\\n\\n' }}
{%- endif %}
""",
    "strict roles": """\
{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('roles must alternate') }}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + " [/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + " [/INST]" }}
        {%- endif %}
    {%- else %}
        {{- " " ~ message.content | trim ~ eos_token }}
    {%- endif %}
{%- endfor %}
""",
    "macro and namespace": """\
{%- macro turn(role, text) -%}
<|im_start|>{{ role }}
{{ text }}<|im_end|>
{% endmacro -%}
{%- set ns = namespace(seen=0, system='') -%}
{%- for message in messages if message.role == 'system' -%}
{%- set ns.system = ns.system ~ message.content -%}
{%- endfor -%}
{{ turn('system', ns.system or 'You are helpful.') }}
{%- for message in messages -%}
{%- if message.role == 'system' -%}{%- continue -%}{%- endif -%}
{%- set ns.seen = ns.seen + 1 -%}
{{ turn(message.role if message.role != 'assistant' else 'model', message.content.split('</think>')[-1].lstrip('\\n')) }}
{%- endfor -%}
{{ '<|im_start|>model\\n' if add_generation_prompt else '' }}
""",
    "last question": """\
{%- set search = namespace(going=true, found=messages | length) -%}
{%- for turn in messages[::-1] -%}
    {%- set told = turn.content.startswith('<tool_response>') and turn.content.endswith('</tool_response>') -%}
    {%- if search.going and turn.role == 'user' and not (told) -%}
        {%- set search.going = false -%}
        {%- set search.found = messages | length - 1 - loop.index0 -%}
    {%- endif -%}
{%- endfor -%}
{%- for turn in messages %}
{{ '[old] ' if loop.index0 < search.found else '[new] ' if loop.index0 > search.found else '[now] ' }}
    {{- turn.role + ': ' + turn.content }}
{%- endfor %}
{{ 'assistant:' }}
""",
    "thoughts": """\
{%- set ns = namespace(asked=0) %}
{%- for message in messages %}
    {%- if message['role'] == 'user' %}{% set ns.asked = loop.index %}{% endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set said = message.content %}
    {%- set thought = '' %}
    {%- if message.thinking is defined and message.thinking is not none %}
        {%- set thought = message.thinking %}
    {%- elif message.role == 'assistant' and '</think>' in said %}
        {%- set thought = said.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set said = said.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<turn>' + message.role + '\\n' }}
    {%- if loop.index > ns.asked and (loop.last or thought) and message.role == "assistant" %}
        {{- '(' + thought.strip('\\n') + ')\\n\\n' + said.lstrip('\\n') }}
    {%- else %}
        {{- said }}
    {%- endif %}
    {{- '</turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<turn>assistant\\n' }}
    {{- '()\\n\\n' if enable_thinking is false }}
{%- endif %}
""",
    "absent tools": """\
{%- if tools %}
    {{- 'Tools:' }}
    {%- for tool in tools %}
        {{- '\\n' }}{{ tool.function | tojson }}
    {%- endfor %}
{%- elif messages[0].role == 'system' %}
    {{- '[S]' + messages[0].content + '[/S]\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'tool' %}
        {%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{ '[T]' }}{% endif %}
        {{- message.content }}
    {%- elif message.role == 'user' or (message.role == 'system' and not loop.first) %}
        {{- '[U]' ~ message.content ~ '[/U]' ~ '\\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '[A]' + message.content }}
        {%- if message.tool_calls %}
            {%- for call in message.tool_calls %}
                {%- set call = call.function or call %}
                {{- call.name ~ (call.arguments if call.arguments is string else call.arguments | tojson) }}
            {%- endfor %}
        {%- endif %}
        {{- '[/A]\\n' }}
    {%- endif %}
{%- endfor %}
{{- '[A]' if add_generation_prompt }}
""",
    "lists and json": """\
{%- for message in messages[::-1] | reverse %}
{{ {'role': message.role, 'content': message.content} | tojson }}
{%- if loop.index >= 3 %}{% break %}{% endif %}
{%- endfor %}
{{ messages | map(attribute='role') | join(', ') }}; {{ messages | selectattr('role', 'equalto', 'user') | list | length }}
{%- if not (enable_thinking is defined and enable_thinking) %} quick{% endif %}
{{ ['user', 'model'] | last | upper }}: {{ messages[-1].content | replace('a', 'bb') }}
""",
}
