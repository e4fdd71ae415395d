"""From what a request asks for to a response, with a task or before there is one."""
