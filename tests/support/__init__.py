"""What all Python tests of Cloakroom share: servers to talk to and a client that hides nothing.

servers   starts and stops cloakroom-server or redis-server in a directory of its own
resp      a raw RESP2/RESP3 client whose replies keep their wire type
value_types  a row for each type of value: how to read it, what equals what
"""
