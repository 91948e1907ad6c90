"""Between devices and Home Assistant: the edge that devices call, history, and what goes wrong."""
