"""What untrusted programs run in: supervisor and warden, environment, ports, bounded output.

Imports contexts alone.
"""
