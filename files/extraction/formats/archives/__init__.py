"""ZIP, TAR, 7-Zip, RAR, compressed streams: directories, headers, findings."""
