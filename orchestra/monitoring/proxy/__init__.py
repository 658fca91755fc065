"""What a proxy in front does to requests and sockets, found out by sending some through it: `doctor --proxy URL`.

`probe` is the server's end, `visiting` the client's, `remedies` what to write into which configuration.
"""
