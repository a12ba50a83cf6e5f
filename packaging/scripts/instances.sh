# Lists the enabled instances by name: each is a link, and systemctl disable and start accept no pattern for them.
enabled_instances() {
    for link in /etc/systemd/system/*.wants/cloakroom-server@?*.service; do
        if [ -L "$link" ]; then
            basename "$link"
        fi
    done
}
