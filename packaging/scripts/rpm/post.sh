# Whether it starts at boot is for the distribution's presets to say; `systemctl enable --now` starts it.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ "$1" -eq 1 ]; then
        systemctl --no-reload preset cloakroom-server.service || :
    fi
fi
