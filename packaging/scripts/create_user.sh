# Creates the user that runs the server and owns its data. It stays after a removal, as its files do.
if ! getent group cloakroom >/dev/null; then
    groupadd --system cloakroom
fi
if ! getent passwd cloakroom >/dev/null; then
    useradd --system --gid cloakroom --home-dir /var/lib/cloakroom --no-create-home \
        --shell /usr/sbin/nologin --comment "Cloakroom session and object cache" cloakroom
fi
