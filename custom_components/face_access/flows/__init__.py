"""Forms in Home Assistant's own pages: stations, cameras, servers and people."""
