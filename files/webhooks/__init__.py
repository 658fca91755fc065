"""What owners' addresses are told of their files: what is to be sent, who may be asked, how it is signed and sent."""
