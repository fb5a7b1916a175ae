import { mount } from "svelte";
import Chat from "./Chat.svelte";
import "./style.css";

mount(Chat, { target: document.getElementById("app") });
