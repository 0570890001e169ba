"""What holds for all tests."""

import signal

# A gate that was started with `nohup` or in the background of a script ignores these, and so would every program that
# the tests start and then signal.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
